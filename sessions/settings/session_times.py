"""How long a session may wait, last, be without a worker, and be finalized."""

from pydantic import Field

from sessions.settings.settings_group import SettingsGroup, why


class SessionTimes(SettingsGroup):
    """How long a session may wait, last, be without a worker, and be finalized."""

    queue_seconds: float = Field(
        300,
        gt=0,
        description="Seconds in the queue before capacity.none.",
        json_schema_extra=why("Convention: a recording that begins later than five minutes is hardly wanted any more."),
    )
    grace_seconds: float = Field(
        30,
        ge=0,
        description="Seconds that a stopping worker goes on recording for a successor.",
        json_schema_extra=why(
            "Convention: a successor that runs already joins within seconds; the rest is for one that is being started."
        ),
    )
    takeover_window_seconds: float = Field(
        600,
        gt=0,
        description="Seconds without a proven beat before worker.lost.",
        json_schema_extra=why(
            "Convention: time to replace a host, but no resumption of a conversation that has long been over."
        ),
    )
    salvage_seconds: float = Field(
        60,
        gt=0,
        description="Seconds that finalizing waits for a lost host's spool.",
        json_schema_extra=why(
            "Convention: a host that restarts within a minute still brings what it had recorded. A"
            " longer wait delays every recording that lost a worker."
        ),
    )
    finalize_retry_seconds: float = Field(
        30,
        gt=0,
        description="Seconds before an unfinished finalize job is deferred again.",
        json_schema_extra=why("Convention: repeating is harmless, because every build makes the same bytes."),
    )
    finalize_deadline_seconds: float = Field(
        86400,
        gt=0,
        description="Seconds before finalizing fails for good.",
        json_schema_extra=why("Convention: the object storage may be away for a day before a recording is given up."),
    )
    max_duration_seconds: int = Field(
        14400,
        ge=1,
        description="The largest max_duration_seconds a session may ask for.",
        json_schema_extra=why("Convention: four hours. A session that is forgotten costs no more than that."),
    )
