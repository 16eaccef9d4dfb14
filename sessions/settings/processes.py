"""A worker's processes: their beats, how many there are, and when one retires."""

from typing import Self

from pydantic import Field, model_validator

from sessions.settings.settings_group import SettingsGroup, why


class Processes(SettingsGroup):
    """A worker's processes: their beats, how many there are, and when one retires."""

    heartbeat_seconds: float = Field(
        4,
        gt=0,
        description="Seconds between a worker process's beats.",
        json_schema_extra=why(
            "At most a third of stalled_seconds. It bounds how old usage is, how late a command comes when"
            " NOTIFY is lost, how much time a crash leaves unbilled, and, with 3 s more, how much a host that is lost"
            " with its disk takes along of each session (see segment_seconds); it costs one statement per process."
        ),
    )
    stalled_seconds: float = Field(
        15,
        gt=0,
        description="Seconds without a beat after which a run counts as lost.",
        json_schema_extra=why(
            "Three beats, the least that the start accepts. A worker goes quiet at 0.8 of it,"
            " after two beats without an answer."
        ),
    )
    sessions_per_process: int = Field(
        25,
        ge=1,
        description="Sessions that one recorder process takes.",
        json_schema_extra=why(
            "It bounds what one crash of LiveKit's native library touches. The load would allow"
            " more: one process recorded 100 sessions in real time with 1.4 cores (measured with"
            " livekit 1.2.1, frames of 200 ms)."
        ),
    )
    processes: int | None = Field(
        None,
        ge=1,
        description="Recorder processes per worker. Unset: one per core, as many as the container's limits of CPU and"
        " memory leave room for.",
        json_schema_extra=why(
            "Python code of one process uses one core. A full one has 40 MB and 5 MB per session, the worker's other"
            " processes 450 MB (measured)."
        ),
    )
    quarantines: int = Field(
        4,
        ge=1,
        description="Recorder processes per worker that are started for sessions that processes have died with.",
        json_schema_extra=why(
            "They run besides the others, and only while they are needed or may be: for half a minute after a process"
            " has died. With more such sessions than processes for them, those share a process that have not taken one"
            " down alone yet. A process has"
            " 13 MB of its own (measured, without sessions) and up to five connections to PostgreSQL."
        ),
    )
    recorder_sessions: int = Field(
        500,
        ge=0,
        description="Sessions after which a recorder process retires: it takes no more, and another one is started"
        " beside it; 0: never.",
        json_schema_extra=why(
            "LiveKit's native library keeps 0.49 MB of each room that a process has left (measured with livekit 1.2.1):"
            " about 250 MB by then. To start another one costs a fifth of a second of a core."
        ),
    )
    recorder_memory_mb: int | None = Field(
        None,
        ge=256,
        description="Resident memory (MiB) past which a recorder process retires, and gives away what makes it grow and"
        " what is on its way into a room. Unset: three times what a full one has (130 MiB, and 5 per session), at most"
        " 1536.",
        json_schema_extra=why("A process that grows so is ill, or attacked; nothing that it does needs that much."),
    )
    recorder_memory_limit_mb: int | None = Field(
        None,
        ge=256,
        description="Resident memory (MiB) past which a recorder process is replaced: it hands its sessions over."
        " With a quarter more, or when it does not, it is killed. Unset: twice recorder_memory_mb.",
        json_schema_extra=why(
            "A process is replaced before the kernel runs out of memory and kills any process it likes. Other processes"
            " take its sessions while it still records; a session that makes processes grow is found like one that"
            " makes them die."
        ),
    )
    idle_process_seconds: float = Field(
        60,
        gt=0,
        description="Seconds without anything to do after which a worker's processes for jobs, speech and webhooks"
        " end. They are started again within a second when there is something.",
        json_schema_extra=why(
            "An idle one holds 13 to 23 MB, and a speech engine 160 more. To start one costs a few tenths of a second:"
            " one that has work once a minute goes on running."
        ),
    )
    retire_seconds: float = Field(
        900,
        ge=0,
        description="Seconds after which a recorder process that retires hands its last sessions over.",
        json_schema_extra=why(
            "Convention: most conversations are over by then. A hand-over costs a few tenths of a second of speech, an"
            " old process its memory."
        ),
    )

    @model_validator(mode="after")
    def _beats_and_memory_fit(self) -> Self:
        if self.stalled_seconds < 3 * self.heartbeat_seconds:
            raise ValueError("stalled_seconds must be at least 3 × heartbeat_seconds")
        soft, hard = self.recorder_memory_mb, self.recorder_memory_limit_mb
        if soft is not None and hard is not None and hard <= soft:
            raise ValueError("recorder_memory_limit_mb must be more than recorder_memory_mb")
        return self
