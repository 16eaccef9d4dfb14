"""Erasing a session, when it is deleted or its retention is over: every byte of its content goes, the bill stays.

Its events stay in the organization's log, without what they held of it (`store.events.scrubbing`).

The rows go in one transaction, which also erases the answers that idempotency keys have kept of it and the arguments of
its jobs, and defers the jobs that remove its objects. Those are removed at once too, so the jobs find work only where
the storage was away or refused, or where somebody was still writing: a job of the session that was running, or a worker
that was cut off and has come back. What the storage has not let go of is known and tried again (`unfinished_erasures`).
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import structlog
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.errors import DatabaseError, ParleyError
from sessions.ids import format_id
from sessions.lifecycle.lifecycle import TERMINAL, Status
from sessions.lifecycle.stop import Stop
from store.access.idempotency import erase_answers
from store.database.database import Database
from store.database.notify.channels import SESSION_CHANNEL, notify
from store.database.server.connection_terms import STATEMENT_TIMEOUT_MS
from store.database.tables import sessions
from store.events.scrubbing import scrub_events
from store.installation.storage_identity import StorageIdentity
from store.jobs.deferring import ERASE, defer_erase
from store.lifecycle import events
from store.lifecycle.leftovers import unmark_leftovers
from store.lifecycle.locked_session import lock_own_session
from store.lifecycle.transitions import stop_session
from store.objects.errors import StorageError
from store.objects.objects import Objects
from store.sessions.unfinished_erasures import begin_erasure, fail_erasure, finish_erasure
from store.webhooks.housekeeping import erase_webhook_answers

FOLDERS = ("sessions", "spool")

# After the longest job that may be running now, and after the longest that anybody may be cut off.
_AGAIN_SECONDS = (0, 2 * 3600, 24 * 3600)
# A worker is not cut off for a day, so a session that has been over for so long needs one late look only.
_EXPIRED_AGAIN_SECONDS = (2 * 3600,)
_AT_ONCE_SECONDS = 10.0  # longer a client should not wait: the job does the rest

_HOLD = select(sessions.c.id)
_DELETE_JOBS = text(
    "DELETE FROM procrastinate_jobs WHERE args->>'session_id' = :id AND status <> 'doing' AND task_name <> :erase"
)

_OVER = ", ".join(f"'{status}'" for status in sorted(TERMINAL))
_EXPIRED = text(
    f"""
    SELECT epoch FROM sessions WHERE id = :id AND status IN ({_OVER})
        AND finished_at < statement_timestamp() - make_interval(days => :days)
    FOR UPDATE SKIP LOCKED
    """
)

_log = structlog.get_logger(__name__)


class SessionErasure:
    """Erases sessions. Only the bill still knows of them."""

    def __init__(self, db: Database, objects: Objects) -> None:
        self._db = db
        self._objects = objects
        self._identity = StorageIdentity(db, objects)

    async def erase(self, organization_id: UUID, session_id: UUID) -> None:
        """Erase a session that is terminal, `created`, `queued` (those are canceled first) or a text session.

        Raises:
            ParleyError: `not_found`; `session.active`.
            DatabaseUnavailableError: nothing was erased; with `commit.unknown` that isn't known.
        """
        async with self._db.begin() as conn:
            # FOR UPDATE, stronger than `lock_session`'s: whoever keeps an answer about the session holds FOR KEY SHARE.
            own = (sessions.c.id == session_id, sessions.c.organization_id == organization_id)
            await conn.execute(_HOLD.where(*own).with_for_update())
            locked = await lock_own_session(conn, organization_id, session_id)
            if locked.status not in TERMINAL:
                if locked.kind == "text":
                    await stop_session(conn, locked, Stop.ended("end.requested"))
                elif locked.status in (Status.CREATED, Status.QUEUED):
                    await stop_session(conn, locked, Stop.canceled("cancel.requested"))
                else:
                    raise ParleyError("session.active", f"a session that is {locked.status} can't be deleted")
            await _erase_rows(conn, session_id, locked.epoch, "requested", _AGAIN_SECONDS)
        with suppress(StorageError):  # it is noted, and 204 all the same: nobody reads the session any more
            await self._remove_at_once(session_id)

    async def expire(self, session_id: UUID, days: int) -> bool:
        """Erase a session that has been terminal for `days`.

        Returns:
            False when it is not due, is gone, or another process is erasing it.

        Raises:
            StorageError: the rows are gone, the objects are left to a job.
            DatabaseUnavailableError: nothing was erased; with `commit.unknown` that isn't known.
        """
        expired = _EXPIRED.bindparams(id=session_id, days=days)
        async with self._db.begin(timeout_seconds=STATEMENT_TIMEOUT_MS / 1000) as conn:  # its log may be a long one
            found = (await conn.execute(expired)).one_or_none()
            if found is None:
                return False
            await _erase_rows(conn, session_id, found.epoch, "retention", _EXPIRED_AGAIN_SECONDS)
        await self._remove_at_once(session_id)
        return True

    async def sweep(self, session_id: UUID) -> None:
        """Remove what late writers may have left of an erased session; does nothing when the session exists.

        Raises:
            StorageError: the storage is away or refuses; it is tried again.
        """
        async with self._db.begin() as conn:
            if (await conn.execute(_HOLD.where(sessions.c.id == session_id))).one_or_none() is not None:
                return
            await erase_answers(conn, session_id)
            await conn.execute(_DELETE_JOBS, {"id": str(session_id), "erase": ERASE})
        await self._remove(session_id)

    async def _remove_at_once(self, session_id: UUID) -> None:
        try:
            async with asyncio.timeout(_AT_ONCE_SECONDS):
                await self._remove(session_id)
        except (DatabaseError, TimeoutError) as error:  # the rows are gone already: the job does the rest
            _log.warning("erasure.left_to_job", session_id=format_id("sess", session_id), error=type(error).__name__)

    async def _remove(self, session_id: UUID) -> None:
        try:
            await self._remove_objects(session_id)
        except StorageError as error:
            await fail_erasure(self._db, session_id, error)
            raise
        await finish_erasure(self._db, session_id)

    async def _remove_objects(self, session_id: UUID) -> None:
        await self._identity.confirm()
        for folder in FOLDERS:
            await self._objects.delete_folder(f"{folder}/{format_id('sess', session_id)}")
        await self._identity.confirm()  # what was removed was ours


async def _erase_rows(
    conn: AsyncConnection, session_id: UUID, epoch: int, reason: str, again_seconds: Sequence[int]
) -> None:
    """Erase the rows of a session whose own row this transaction has locked; jobs remove its objects so much later."""
    await erase_answers(conn, session_id)
    await events.append(conn, session_id, "session.deleted", epoch=epoch, data={"reason": reason})
    await scrub_events(conn, session_id)
    await erase_webhook_answers(conn, session_id)
    await conn.execute(delete(sessions).where(sessions.c.id == session_id))
    await begin_erasure(conn, session_id)
    await unmark_leftovers(conn, session_id)
    await conn.execute(_DELETE_JOBS, {"id": str(session_id), "erase": ERASE})
    for seconds in again_seconds:
        await defer_erase(conn, session_id, in_seconds=seconds)
    await notify(conn, SESSION_CHANNEL, str(session_id))
