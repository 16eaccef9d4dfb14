"""Posting a message to a session: logged at once, in the room as soon as a worker has put it there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sessions.errors import ParleyError
from sessions.lifecycle.lifecycle import SETTLED, Event, Status
from store.access.idempotency import IdempotencyTicket
from store.database.database import Database
from store.database.notify.channels import MESSAGE_CHANNEL, notify
from store.lifecycle.locked_session import lock_own_session
from store.lifecycle.transitions import apply
from store.sessions.log.session_log import LogEntry, NewLogEntry, Role, append

RenderMessage = Callable[[LogEntry], tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class NewMessage:
    """What a client posts: `text` is all of it, `content` its blocks when it was more than a text."""

    role: Role
    text: str
    content: list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class PostedMessage:
    """The entry, and whether a worker is in the room and will put it there now."""

    entry: LogEntry
    on_its_way: bool


class SessionMessages:
    """One transaction per message."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def post(
        self,
        organization_id: UUID,
        session_id: UUID,
        message: NewMessage,
        *,
        idempotency: IdempotencyTicket | None = None,
        render: RenderMessage,
    ) -> PostedMessage:
        """Log a message; a worker puts it into the room. The first one of a text session makes that `running`.

        Args:
            idempotency: the caller's ticket; it stays the caller's to release when this raises.
            render: the answer (status, body) to keep with the ticket; `revise_answer` replaces its body.

        Raises:
            ParleyError: `session.not_running` when the session is settled.
        """
        async with self._db.begin() as conn:
            locked = await lock_own_session(conn, organization_id, session_id)
            if locked.status in SETTLED:
                raise ParleyError("session.not_running", f"a session that is {locked.status} takes no messages")
            if locked.kind == "text" and locked.status is Status.CREATED:
                await apply(conn, locked, Event.OPEN)
            new = NewLogEntry(
                kind="message",
                role=message.role,
                text=message.text,
                content=message.content,
                source="api",
                delivered=locked.kind == "text",
            )
            [entry] = await append(conn, locked, [new])
            if idempotency is not None:
                status, body = render(entry)
                await idempotency.store(conn, status, body, session_id)
            on_its_way = locked.kind == "voice" and locked.status is Status.RUNNING
            if on_its_way:
                await notify(conn, MESSAGE_CHANNEL, str(session_id))
            return PostedMessage(entry, on_its_way)

    async def revise_answer(self, idempotency: IdempotencyTicket, body: bytes) -> None:
        """Replace the body that was kept with a ticket by the one that the client gets: the message has been sent."""
        async with self._db.begin() as conn:
            await idempotency.revise(conn, body)
