"""How long content and events are kept, and how many may follow them as they happen."""

from pydantic import Field

from sessions.settings.settings_group import SettingsGroup, why


class Keeping(SettingsGroup):
    """How long content and events are kept, and how many may follow them as they happen."""

    retention_days: int | None = Field(
        None,
        ge=1,
        le=36500,
        description="Days after its end that a session's content is erased, as by DELETE; the same for every worker."
        " Unset: everything is kept.",
        json_schema_extra=why("Nothing is deleted that nobody asked to delete."),
    )
    event_retention_days: int = Field(
        30,
        ge=1,
        le=36500,
        description="Days that an event stays in its organization's log.",
        json_schema_extra=why(
            "Convention: time enough for whoever follows the log to come back. Events of erased sessions hold no"
            " content of theirs, however long they stay."
        ),
    )
    event_streams: int = Field(
        2000,
        ge=1,
        description="Streams of events that one API process has open at once.",
        json_schema_extra=why(
            "Each is a connection and its memory. Whoever comes in vain is answered 429 and may try another process."
        ),
    )
    event_streams_per_key: int = Field(
        100,
        ge=1,
        description="Of these, with one API key.",
        json_schema_extra=why(
            "Convention: enough for a backend of many processes, and not all places for one customer."
        ),
    )
    event_stream_stall_seconds: float = Field(
        10,
        gt=0,
        description="Seconds in which the reader of a stream or a long answer takes nothing before it is cut off.",
        json_schema_extra=why(
            "What it does not take lies in our memory, up to 128 KiB and a page. A stream goes on from its cursor."
        ),
    )
