"""The one error tree: what a user is told by a code of the registry (`sessions.codes`). Leaves live where they arise.

    ParleyError                   sessions.errors
    ├── DatabaseError             sessions.errors: a transaction came to nothing
    │   ├── DatabaseUnavailableError  sessions.errors: PostgreSQL is away, or too slow to wait for
    │   │   ├── DatabaseBusyError     sessions.errors: another transaction was in the way
    │   │   └── CommitUnknown         store.database.database: it was lost while committing
    │   └── DatabaseRefusedError      sessions.errors: it refused a statement of ours
    ├── SchemaOutdatedError       store.database.server.schema: the database wants `parley migrate`
    ├── StorageError              store.objects.errors: the object storage is away, or full
    │   ├── ObjectMissing         store.objects.errors: there is no such object
    │   ├── ObjectExists          store.objects.errors: there is one already, and it was to be a new one
    │   └── StorageUnrecognized   store.installation.storage_identity: another storage is in the place of ours
    ├── TicketLostError           store.access.idempotency: a repetition of the request has taken over
    ├── TokenUnreadableError      store.access.vault: no present secret key opens what is stored sealed
    ├── RefusedRequestError       control_api.http.answers.envelope: the answer has headers of its own
    ├── JoinError                 worker.room.join_answer: the room was not entered
    ├── SendError                 worker.room.livekit.texts: a message did not get into the room
    ├── SpeechError               worker.outputs.speech.engines.engine: a speech engine didn't do its work
    └── SummaryError              worker.outputs.summary.summarizer: a summarizer didn't do its work

Who runs a command is told a sentence on stderr, without a code; `parley.cli` catches these:

    CommandError                  parley.command_error
    ├── ApiRefusedError           parley.client.problems: the HTTP API answered with an error, whose code is in the text
    ├── UnreachableError          parley.client.problems: the HTTP API was not reached, or went away
    ├── NotParleyError            parley.client.problems: something else than the HTTP API answered
    ├── EmbeddedPostgresError     parley.servers.postgres_folder: the PostgreSQL that Parley brings can't be used
    └── LiveKitServerError        parley.servers.livekit_program: there is no livekit-server, or it doesn't start

These are signals between modules, and get no farther than to who is named here:

    Replaced        store.runs.fence: another run has the session; whatever task of the worker writes catches it
    JobFailedError  store.jobs.jobs: Procrastinate marks the job as failed by it; the cause is logged already
    AnswerTimeout   store.database.bounded_connection: PostgreSQL did not answer in time; a DatabaseUnavailableError
                    is made of it
    _PooledError    store.database.notify.notifications: the listener polls instead
    EndpointError   worker.outputs.openai_endpoint: the engines of speech and summaries make a
                    SpeechError or SummaryError of it
    SegmentCorrupt  audio.segments.segments: whoever reads segments leaves this one out
    EncodingCanceledError  audio.building.encoding: the job that wanted the file was canceled
    RangeNotSatisfiableError  control_api.outputs.recordings.byte_range: who serves the object answers 416
    _WrongError     store.objects.probe: a step of the probe found that the storage does something else than it says
    AddressNotAllowedError  worker.webhooks.guarded_dial: the sender notes that a webhook went nowhere
    RefusedError    worker.guard.refusals: the guard's proxy answers its client why it does not connect
    _OverError      worker.guard.proxy: ends both directions of a connection through the guard
    _ClosedElsewhereError  worker.outputs.speech.transcriber: ends a job whose transcript is closed already
    _HurryError     worker.host.supervisor: ends the wait for children at the second signal

Everything else that escapes is a bug of ours and is shown as `internal`.
"""

from collections.abc import Mapping
from typing import Any


class ParleyError(Exception):
    """Something that a user is told by its code.

    Args:
        code: a code of the registry.
        message: for humans, in one sentence, without secrets and without echoing input.
        param: the offending field or parameter, dotted (`transport.type`).
        extra: additional members of the error object (`existing_session_id`, `errors`, `retry_after_seconds`).
    """

    def __init__(
        self, code: str, message: str, *, param: str | None = None, extra: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.param = param
        self.extra: dict[str, Any] = dict(extra or {})


class DatabaseError(ParleyError):
    """A transaction came to nothing (why: `store.database.sqlstates`). Loops that must go on catch this one."""


class DatabaseUnavailableError(DatabaseError):
    """PostgreSQL is away, or too slow to wait for. Nothing is known to be written."""

    def __init__(self, message: str = "the database is not available", *, retry_after_seconds: int = 1) -> None:
        super().__init__("database.unavailable", message, extra={"retry_after_seconds": retry_after_seconds})


class DatabaseBusyError(DatabaseUnavailableError):
    """Another transaction was in the way. Nothing was written, and the same again may well succeed."""

    def __init__(self) -> None:
        super().__init__("the database is busy")


class DatabaseRefusedError(DatabaseError):
    """The database refused a statement, and nothing was written: a bug of ours, unless who catches it expected it.

    Attributes:
        sqlstate: PostgreSQL's code, if it gave one.
        constraint: the constraint or unique index that was violated, if one was.
    """

    def __init__(self, sqlstate: str | None, constraint: str | None = None) -> None:
        super().__init__("internal", "the database refused a statement")
        self.sqlstate = sqlstate
        self.constraint = constraint


def session_not_found() -> ParleyError:
    """The one error for sessions that don't exist and for those of other organizations."""
    return ParleyError("not_found", "Session not found")
