"""Creating a session: one transaction, whose outcome is looked up when its COMMIT got no answer."""

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

from sqlalchemy import case, func, insert, literal, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions import ids
from sessions.errors import DatabaseRefusedError, DatabaseUnavailableError
from sessions.lifecycle.lifecycle import Status
from sessions.session import LiveKitTransport, Session
from store.access.asking_key import hold_key
from store.access.idempotency import IdempotencyTicket
from store.access.token_rows import put_shared_key, put_token
from store.access.vault import Slot, TokenVault
from store.database.database import CommitUnknown, Database
from store.database.notify.channels import CLAIM_CHANNEL, notify
from store.database.tables import organizations, sessions
from store.lifecycle import events
from store.lifecycle.session_rows import read_session, session_select, to_session
from store.sessions.new_session import NewSession
from store.sessions.quota import UNLIMITED, Load, SessionLimits, keep_quota
from store.sessions.room_identity import active_in_room, identity_in_use, is_identity_in_use, room_key

Render = Callable[[Session], tuple[int, bytes]]

_ATTEMPTS = 3
_LOOK_AGAIN_SECONDS = 0.2


class SessionCreation:
    """Writes a new session with its token, its events, and the answer to whoever asked for it."""

    def __init__(self, db: Database, vault: TokenVault) -> None:
        self._db = db
        self._vault = vault

    async def create(
        self,
        organization_id: UUID,
        new: NewSession,
        *,
        limits: SessionLimits = UNLIMITED,
        counted: Callable[[Load], None] = lambda load: None,
        asked_by: UUID | None = None,
        idempotency: IdempotencyTicket | None = None,
        render: Render,
    ) -> Session:
        """Queue a new session and wake the workers.

        Args:
            limits: how many sessions the organization may have, this one included.
            counted: told how many it has then, if there are limits.
            asked_by: the key that asks for it, valid until it is made.
            idempotency: the caller's ticket; it stays the caller's to release when this raises.
            render: the answer (status, body) to keep with the ticket.

        Raises:
            ParleyError: `room.identity_in_use` with `existing_session_id`, `quota.sessions`, `key.invalid`, or
                `commit.unknown`.
            DatabaseUnavailableError: provably nothing was written.
            TicketLostError: a repetition of the request has taken over; nothing was written.
        """
        for _ in range(_ATTEMPTS):
            try:
                async with self._db.begin() as conn:
                    return await self._write(conn, organization_id, new, idempotency, render, limits, counted, asked_by)
            except CommitUnknown:
                return await self._find_out(new.id)
            except DatabaseRefusedError as error:
                if not is_identity_in_use(error):
                    raise
            assert new.transport is not None
            async with self._db.begin() as conn:
                existing = await active_in_room(conn, organization_id, new.transport)
            if existing is not None:
                raise identity_in_use(existing)
            # the other session has just ended: try again
        raise identity_in_use(None)

    async def _write(
        self,
        conn: AsyncConnection,
        organization_id: UUID,
        new: NewSession,
        idempotency: IdempotencyTicket | None,
        render: Render,
        limits: SessionLimits,
        counted: Callable[[Load], None],
        asked_by: UUID | None = None,
    ) -> Session:
        await conn.execute(insert(sessions).values(_columns(organization_id, new)))
        if new.token is not None:
            await put_token(conn, self._vault, new.id, Slot.CUSTOMER, new.token, new.token_expires_at)
            await put_shared_key(conn, self._vault, new.id, new.shared_key)
        session = await read_session(conn, new.id)
        steps = [(None, Status.CREATED), (Status.CREATED, Status.QUEUED)]
        for before, after in steps if session.status is Status.QUEUED else steps[:1]:
            await events.append(
                conn, new.id, f"session.{after}", epoch=0, status_from=before, status_to=after, at=session.updated_at
            )
        if idempotency is not None:
            status, body = render(session)
            await idempotency.store(conn, status, body, new.id)
        if session.status is Status.QUEUED:
            await notify(conn, CLAIM_CHANNEL)
        await _hold(conn, new.id)
        await hold_key(conn, asked_by)
        if new.kind == "voice" and (load := await keep_quota(conn, organization_id, limits)) is not None:
            counted(load)
        return session

    async def _find_out(self, session_id: UUID) -> Session:
        """Look up whether a transaction whose COMMIT got no answer has happened.

        Raises:
            DatabaseUnavailableError: provably nothing was written.
            CommitUnknown: nobody could tell in time.
        """
        deadline = time.monotonic() + self._db.seconds_left()
        while True:
            try:
                async with self._db.begin() as conn:
                    await _hold(conn, session_id)  # waits for that transaction's end, should it still be under way
                    query = session_select().where(sessions.c.id == session_id)
                    row = (await conn.execute(query)).one_or_none()
                break
            except DatabaseUnavailableError:
                if time.monotonic() + _LOOK_AGAIN_SECONDS >= deadline:
                    raise CommitUnknown(
                        "it is not known whether the session was created: repeat with the same Idempotency-Key"
                    ) from None
                await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        if row is None:
            raise DatabaseUnavailableError
        return to_session(row)


def transport_columns(transport: LiveKitTransport) -> dict[str, object]:
    """Where to join, as columns of the session's row."""
    return {
        "url": transport.url,
        "room_key": room_key(transport),
        "room_name": transport.room_name,
        "worker_identity": transport.worker_identity,
        "audio_source": transport.audio_source,
        "subscribe_to_identity": transport.subscribe_to_identity,
        "synthetic_audio_if_no_input": transport.synthetic_audio_if_no_input,
        "e2ee": transport.e2ee,
    }


def _columns(organization_id: UUID, new: NewSession) -> dict[str, object]:
    default_agent = select(organizations.c.default_agent_id).where(organizations.c.id == organization_id)
    now = func.statement_timestamp()
    waits = literal(new.kind == "text") if new.start_at is None else literal(new.start_at) > now
    return {
        "id": new.id,
        "organization_id": organization_id,
        "kind": new.kind,
        "status": case((waits, str(Status.CREATED)), else_=str(Status.QUEUED)),
        "start_at": new.start_at,
        **({} if new.transport is None else transport_columns(new.transport)),
        "token_expires_at": new.token_expires_at,
        "quality": new.quality,
        "multiplier": new.multiplier,
        "max_duration_seconds": new.max_duration_seconds,
        "idle_timeout_seconds": new.idle_timeout_seconds,
        "layout": new.recording.layout,
        "on_pause": new.recording.on_pause,
        "formats": list(new.recording.formats),
        "track_files": new.recording.tracks,
        "transcription_mode": new.transcription.mode,
        "transcription_language": new.transcription.language,
        "metadata": new.metadata,
        "tags": list(new.tags),
        "title": new.title,
        "agent_id": default_agent.scalar_subquery() if new.agent_id is None else new.agent_id,
        "task_id": new.task_id,
        "project_id": new.project_id,
        "model_id": new.model_id,
        "capabilities": new.capabilities,
        "prompt": new.prompt,
        "data": new.data,
        "external_customer_id": new.external_customer_id,
        "created_at": ids.created_at(new.id),
        "updated_at": now,
        "queued_at": case((waits, None), else_=now),
    }


async def _hold(conn: AsyncConnection, session_id: UUID) -> None:
    """Hold a lock until the end of the transaction: `_find_out` takes it too, and so waits for a creation under way."""
    key = session_id.int & 0x7FFF_FFFF_FFFF_FFFF
    await conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
