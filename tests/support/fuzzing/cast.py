"""Which sessions there are, and what can be asked of them: learned from answers, as a client does."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from schemathesis import Case

from sessions.errors import ParleyError
from sessions.ids import format_id, parse_id
from tests.support.fuzzing.stand_in_worker import StandInWorker


@dataclass
class Actor:
    """One session.

    Attributes:
        room: room and identity of a voice session.
        stays: isn't ended or deleted by cases that could do that to another.
    """

    id: str
    agent_id: str
    project_id: str | None = None
    room: tuple[str, str] | None = None
    archived: bool = False
    paused: bool = False
    spoken_to: bool = False
    stays: bool = False


@dataclass
class Cast:
    """All of them; `pick` takes turns among those that suit.

    Attributes:
        deleted: those that were.
    """

    worker: StandInWorker
    deleted: set[str] = field(default_factory=set)
    _actors: dict[str, Actor] = field(default_factory=dict)
    _turns: "count[int]" = field(default_factory=count)

    def get(self, session_id: str) -> Actor | None:
        """By its id, however that is spelled."""
        return self._actors.get(canonical(session_id))

    def known(self, session_id: str) -> Actor:
        """One of ours, by its id."""
        return self._actors[canonical(session_id)]

    def is_deleted(self, case: Case[Any]) -> bool:
        """Whether it addresses a session that was deleted, in whichever document's way."""
        path, query = case.path_parameters or {}, case.query or {}
        body = case.body if isinstance(case.body, dict) else {}
        named = (path.get("session_id"), path.get("session_key"), query.get("sessionId"), body.get("sessionId"))
        return any(canonical(str(name)) in self.deleted for name in named)

    def pick(self, operation: str) -> Actor | None:
        """One that the operation has something to say about, else any, or nobody."""
        suitable = list(self._suitable(operation)) or list(self._actors.values())
        return suitable[next(self._turns) % len(suitable)] if suitable else None

    def _suitable(self, operation: str) -> Iterable[Actor]:
        actors = self._actors.values()
        finished = {format_id("sess", session_id) for session_id in self.worker.finished}
        if operation in OF_FINISHED:
            return (actor for actor in actors if actor.id in finished)
        if operation in ("pause_session", "post_message", "send_task_message"):
            running = {format_id("sess", session_id) for session_id in self.worker.running}
            return (actor for actor in actors if actor.id in running or actor.spoken_to)
        if operation == "resume_session":
            return (actor for actor in actors if actor.paused and actor.id not in finished)
        if operation == "replace_worker_token":
            return (actor for actor in actors if actor.room is not None and actor.id not in finished)
        if operation in ("restore_session", "restore_agent_session", "delete_archived_agent_session"):
            return (actor for actor in actors if actor.archived)
        if operation.startswith(("end_", "cancel_", "delete_")):
            return (actor for actor in actors if not actor.stays)
        return actors

    def enter(self, made: dict[str, Any], *, stays: bool = False) -> None:
        """A session was created; every few of them the worker takes all that wait."""
        actor = Actor(made["id"], made["agent_id"], made.get("project_id"), stays=stays)
        if isinstance(transport := made.get("transport"), dict):
            actor.room = (transport["room_name"], transport["worker_identity"])
        self._actors[actor.id] = actor
        self.worker.session_created()

    def learn(self, operation: str, path_parameters: dict[str, Any]) -> None:
        """A request about a session succeeded."""
        actor_id = canonical(path_parameters.get("session_id") or path_parameters.get("session_key") or "")
        known = self._actors.get(actor_id)
        if known is None:
            return
        if operation.startswith("delete_"):
            del self._actors[actor_id]
            self.deleted.add(actor_id)
        elif operation.startswith("archive_"):
            known.archived = True
        elif operation.startswith("restore_"):
            known.archived = False
        elif operation in ("post_message", "send_task_message"):
            known.spoken_to = True
        elif operation in ("pause_session", "resume_session"):
            known.paused = operation == "pause_session"
        elif operation in ("end_session", "cancel_session"):
            known.paused = known.spoken_to = False
            self.worker.session_stopped(parse_id("sess", actor_id))


ADDRESSES = ("session_id", "session_key", "sessionId")
# Operations whose answers are about what an ended session leaves.
OF_FINISHED = frozenset(
    {
        *(
            "get_audio",
            "get_waveform",
            "get_recording",
            "get_transcript",
            "get_summary",
            "remake_transcript",
            "get_transcript_run",
            "regenerate_summary",
            "list_events",
        ),
        *("session_audio", "session_transcript", "session_summary", "session_status", "regenerate_session_summary"),
    }
)


def canonical(session_id: str) -> str:
    """`sess_…` for either spelling; empty for what is no id."""
    try:
        return format_id("sess", parse_id("sess", session_id))
    except ParleyError:
        return ""
