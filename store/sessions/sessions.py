"""The sessions of an organization, as the API creates, reads and commands them."""

from collections.abc import Iterable
from uuid import UUID

from pydantic import SecretStr

from sessions.session import Session
from sessions.stop import Stop
from sessions.worker_token import WorkerTokenClaims
from store.access.idempotency import IdempotencyTicket
from store.access.vault import TokenVault
from store.database.database import Database
from store.log.session_log import Kind, LogEntry, SessionLog
from store.log.session_messages import NewMessage, PostedMessage, RenderMessage, SessionMessages
from store.sessions.commands import SessionCommands
from store.sessions.creation import Render, SessionCreation
from store.sessions.edits import SessionChanges, SessionEdits
from store.sessions.filter import SessionFilter
from store.sessions.new_session import NewSession
from store.sessions.queries import Recording, SessionEvent, SessionQueries
from store.sessions.task_sessions import TaskSessions


class Sessions:
    """Everything that the API does with sessions; tokens go in and never come out.

    Every method may raise `DatabaseUnavailableError`, and `ParleyError` `not_found` for a session that the organization
    doesn't have.
    """

    def __init__(self, db: Database, vault: TokenVault) -> None:
        self._creation = SessionCreation(db, vault)
        self._commands = SessionCommands(db, vault)
        self._queries = SessionQueries(db)
        self._edits = SessionEdits(db)
        self._messages = SessionMessages(db)
        self.log = SessionLog(db)
        self.tasks = TaskSessions(db, vault)

    async def create(
        self, organization_id: UUID, new: NewSession, *, idempotency: IdempotencyTicket | None = None, render: Render
    ) -> Session:
        """Queue a new session and wake the workers.

        Args:
            idempotency: the caller's ticket; it stays the caller's to release when this raises.
            render: the answer (status, body) to keep with the ticket.

        Raises:
            ParleyError: `room.identity_in_use` with `existing_session_id`, or `commit.unknown`.
            DatabaseUnavailableError: provably nothing was written.
            TicketLostError: a repetition of the request has taken over; nothing was written.
        """
        return await self._creation.create(organization_id, new, idempotency=idempotency, render=render)

    async def get(self, organization_id: UUID, session_id: UUID) -> Session:
        """The session."""
        return await self._queries.get(organization_id, session_id)

    async def agent_of(self, organization_id: UUID, session_id: UUID) -> str:
        """The agent that the session belongs to, for ever."""
        return await self._queries.agent_of(organization_id, session_id)

    async def current(self, ids: Iterable[UUID]) -> dict[UUID, Session]:
        """Those of these sessions that exist, of any organization: for callers that have checked before."""
        return await self._queries.current(ids)

    async def end(self, organization_id: UUID, session_id: UUID) -> Session:
        """End it: a session that ran goes to `ending`, one that never ran is canceled, a settled one stays as it is."""
        return await self._commands.stop(organization_id, session_id, Stop.ended("end.requested"))

    async def cancel(self, organization_id: UUID, session_id: UUID) -> Session:
        """Cancel it; like `end`, with the outcome `canceled`."""
        return await self._commands.stop(organization_id, session_id, Stop.canceled("cancel.requested"))

    async def update(self, organization_id: UUID, session_id: UUID, changes: SessionChanges) -> Session:
        """Change title, tags or metadata, each as a whole."""
        return await self._edits.update(organization_id, session_id, changes)

    async def archive(self, organization_id: UUID, session_id: UUID) -> Session:
        """Leave it out of lists; it runs, bills and ends as before. Archived already: unchanged."""
        return await self._edits.set_archived(organization_id, session_id, True)

    async def restore(self, organization_id: UUID, session_id: UUID) -> Session:
        """Undo `archive`. Not archived: unchanged."""
        return await self._edits.set_archived(organization_id, session_id, False)

    async def pause(self, organization_id: UUID, session_id: UUID) -> Session:
        """Pause it: from this stamp on nothing is recorded and nothing billed. A paused one stays as it is.

        Raises:
            ParleyError: `transition.invalid` unless it is running or paused.
        """
        return await self._commands.pause(organization_id, session_id)

    async def resume(self, organization_id: UUID, session_id: UUID) -> Session:
        """Let a paused session go on. A running one stays as it is.

        Raises:
            ParleyError: `transition.invalid` unless it is running or paused.
        """
        return await self._commands.resume(organization_id, session_id)

    async def replace_token(
        self, organization_id: UUID, session_id: UUID, token: SecretStr, claims: WorkerTokenClaims
    ) -> Session:
        """Put a new worker token, for the same room and identity, in the place of the customer's last one.

        Raises:
            ParleyError: `worker_token.wrong_room|identity_mismatch`; `transition.invalid` when no worker will need it.
        """
        return await self._commands.replace_token(organization_id, session_id, token, claims)

    async def events(
        self, organization_id: UUID, session_id: UUID, after: int = 0, limit: int = 20
    ) -> tuple[list[SessionEvent], bool]:
        """The session's log from the event after `seq == after` on, oldest first, and whether there is more."""
        return await self._queries.events(organization_id, session_id, after, limit)

    async def timeline(self, organization_id: UUID, session_id: UUID) -> list[SessionEvent]:
        """The session's transitions, oldest first."""
        return await self._queries.timeline(organization_id, session_id)

    async def post_message(
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
        return await self._messages.post(organization_id, session_id, message, idempotency=idempotency, render=render)

    async def revise_answer(self, idempotency: IdempotencyTicket, body: bytes) -> None:
        """Replace the body that was kept with a ticket."""
        await self._messages.revise_answer(idempotency, body)

    async def log_page(
        self, organization_id: UUID, session_id: UUID, *, kind: Kind | None = None, after: int = 0, limit: int = 20
    ) -> tuple[list[LogEntry], bool]:
        """A page of the session's messages and transcript segments, oldest first, and whether there is more."""
        return await self.log.page(organization_id, session_id, kind=kind, after=after, limit=limit)

    async def recording(self, organization_id: UUID, session_id: UUID) -> Recording:
        """The recording's state, and what it is once it is stored."""
        return await self._queries.recording(organization_id, session_id)

    async def list(
        self, organization_id: UUID, chosen: SessionFilter, limit: int = 20, starting_after: UUID | None = None
    ) -> tuple[list[Session], bool]:
        """A page of the organization's sessions, newest first, and whether there is more.

        Args:
            limit: 1..100.
            starting_after: the id that the page starts after; it need not exist.
        """
        return await self._queries.list(organization_id, chosen, limit, starting_after)
