"""Commands of the API: it commits these transitions itself, and workers follow."""

from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import delete

from sessions.destinations.worker_token import PARAM, WorkerTokenClaims
from sessions.errors import ParleyError
from sessions.lifecycle.lifecycle import Event, Status
from sessions.lifecycle.stop import Stop
from sessions.session import Session
from store.access.token_rows import put_token
from store.access.vault import Slot, TokenVault
from store.database.database import Database
from store.database.notify.channels import MESSAGE_CHANNEL, notify
from store.database.tables import worker_tokens
from store.lifecycle.locked_session import lock_own_session
from store.lifecycle.pauses import bound_pausing
from store.lifecycle.row_changes import change_row
from store.lifecycle.session_rows import read_session
from store.lifecycle.transitions import apply, stop_session


class SessionCommands:
    """Each command is one transaction on the locked row, and may be repeated."""

    def __init__(self, db: Database, vault: TokenVault) -> None:
        self._db = db
        self._vault = vault

    async def end(self, organization_id: UUID, session_id: UUID) -> Session:
        """End it: a session that ran goes to `ending`, one that never ran is canceled, a settled one stays as it is."""
        return await self._stop(organization_id, session_id, Stop.ended("end.requested"))

    async def cancel(self, organization_id: UUID, session_id: UUID) -> Session:
        """Cancel it; like `end`, with the outcome `canceled`."""
        return await self._stop(organization_id, session_id, Stop.canceled("cancel.requested"))

    async def _stop(self, organization_id: UUID, session_id: UUID, stop: Stop) -> Session:
        async with self._db.begin() as conn:
            locked = await lock_own_session(conn, organization_id, session_id)
            if not locked.settled:
                await stop_session(conn, locked, stop)
            return await read_session(conn, session_id)

    async def pause(self, organization_id: UUID, session_id: UUID) -> Session:
        """Pause it: from this stamp on nothing is recorded and nothing billed. A paused one stays as it is.

        Raises:
            ParleyError: `transition.invalid` unless it is running or paused.
        """
        return await self._move(organization_id, session_id, Event.PAUSE, Status.PAUSED)

    async def resume(self, organization_id: UUID, session_id: UUID) -> Session:
        """Let a paused session go on. A running one stays as it is.

        Raises:
            ParleyError: `transition.invalid` unless it is running or paused.
        """
        return await self._move(organization_id, session_id, Event.RESUME, Status.RUNNING)

    async def _move(self, organization_id: UUID, session_id: UUID, event: Event, target: Status) -> Session:
        async with self._db.begin() as conn:
            await bound_pausing(conn)
            locked = await lock_own_session(conn, organization_id, session_id)
            if locked.status is not target:
                await apply(conn, locked, event)
                if target is Status.RUNNING:
                    await notify(conn, MESSAGE_CHANNEL, str(session_id))  # messages may have been waiting for this
            return await read_session(conn, session_id)

    async def replace_token(
        self, organization_id: UUID, session_id: UUID, token: SecretStr, claims: WorkerTokenClaims
    ) -> Session:
        """Put a new worker token, for the same room and identity, in the place of the customer's last one.

        Raises:
            ParleyError: `worker_token.wrong_room|identity_mismatch`; `transition.invalid` when no worker will need it.
        """
        async with self._db.begin() as conn:
            locked = await lock_own_session(conn, organization_id, session_id)
            session = await read_session(conn, session_id)
            if locked.settled or session.transport is None:
                raise ParleyError("transition.invalid", f"a session that is {locked.status} takes no worker token")
            if claims.room != session.transport.room_name:
                raise ParleyError("worker_token.wrong_room", "the worker token is for another room", param=PARAM)
            if claims.identity != session.transport.worker_identity:
                raise ParleyError(
                    "worker_token.identity_mismatch", "the worker token is for another identity", param=PARAM
                )
            await put_token(conn, self._vault, session_id, Slot.CUSTOMER, token, claims.expires_at)
            await conn.execute(  # made from the old token; it must not win by expiring later
                delete(worker_tokens).where(
                    worker_tokens.c.session_id == session_id, worker_tokens.c.slot == Slot.REFRESHED
                )
            )
            await change_row(conn, locked, {"token_expires_at": claims.expires_at}, "worker_token.replaced")
            return await read_session(conn, session_id)
