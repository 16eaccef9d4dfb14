"""The installation in numbers."""

from typing import Literal

from pydantic import Field

from control_api.http.answers.models import AnswerModel, Timestamp
from sessions.codes import Fault


class Queue(AnswerModel):
    """Sessions that wait for a worker."""

    waiting: int
    oldest_wait_seconds: float | None
    scheduled: int = Field(description="Created for later: start_at has not come.")


class LiveSessions(AnswerModel):
    """Sessions that somebody works on."""

    starting: int
    running: int
    paused: int
    ending: int


class Processes(AnswerModel):
    """Processes that listen at the database now. Behind a pooler without PARLEY_DATABASE_DIRECT_URL none does.

    Those for jobs and webhooks run while there is something for them to do.
    """

    api: int
    recorders: int
    jobs: int
    webhooks: int


class RecordingHost(AnswerModel):
    """A host with sessions."""

    host: str
    processes: int
    sessions: int
    oldest_beat_seconds: float = Field(description="Since the last proof that a session's worker is alive.")


class Workers(AnswerModel):
    """Who records, and how much more could be."""

    processes: Processes
    slots: int = Field(description="Recorder processes × PARLEY_SESSIONS_PER_PROCESS, as this API process has it.")
    slots_used: int
    hosts: list[RecordingHost] = Field(description="Those that record something now.")


class JobKind(AnswerModel):
    """Jobs of one kind."""

    name: str
    waiting: int
    running: int
    failed: int = Field(description="In the last hour. The sweeper starts a failed one again.")
    oldest_wait_seconds: float | None = Field(description="Of those that could begin.")


class StorageState(AnswerModel):
    """The object storage, and what is on its way there or out of it."""

    status: Literal["ok", "unavailable"]
    troubles: list[str]
    local: bool = Field(description="Whether it is a folder.")
    free_bytes: int | None = Field(description="Of the disk that the folder is on. Null: it is no folder.")
    unsealed_runs: int = Field(description="Runs that are over, of which audio is still to be uploaded.")
    erasures: int = Field(description="Erased sessions whose objects may still be there.")
    failing_erasures: int


class CodeCount(AnswerModel):
    """Sessions that failed with one code."""

    code: str
    fault: Fault
    sessions: int


class LastHour(AnswerModel):
    """Voice sessions of the last sixty minutes."""

    created: int
    wait_median_seconds: float | None = Field(description="From the queue to a worker, of those that were created.")
    wait_p95_seconds: float | None
    wait_most_seconds: float | None
    ended: int
    failed: int
    canceled: int
    incomplete_recordings: int = Field(description="Of the sessions that ended or failed.")
    faults: dict[Fault, int] = Field(description="Failed sessions by whose fault it was.")
    failures: list[CodeCount]


class OperatorOverview(AnswerModel):
    """The installation in numbers. It names no organization, agent, customer, session or room."""

    object: Literal["operator_overview"]
    version: str
    as_of: Timestamp
    queue: Queue
    sessions: LiveSessions
    workers: Workers
    jobs: list[JobKind]
    storage: StorageState
    last_hour: LastHour
