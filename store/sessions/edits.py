"""What may be changed of a session beside its status: title, tags, metadata, and whether it is archived."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.errors import session_not_found
from sessions.session import Session
from store.database.channels import SESSION_CHANNEL, notify
from store.database.database import Database
from store.database.tables import sessions
from store.lifecycle import events
from store.lifecycle.session_rows import read_session
from store.lifecycle.transitions import LockedSession, lock_session


class SessionChanges(TypedDict, total=False):
    """Columns to change; those that are absent stay."""

    title: str | None
    tags: list[str]
    metadata: dict[str, Any]


class SessionEdits:
    """Each edit is one transaction on the locked row; one that changes nothing writes nothing."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def update(self, organization_id: UUID, session_id: UUID, changes: SessionChanges) -> Session:
        """Change title, tags or metadata, each as a whole."""
        async with self._db.begin() as conn:
            locked = await _locked(conn, organization_id, session_id)
            before = await read_session(conn, session_id)
            present = {"title": before.title, "tags": list(before.tags), "metadata": before.metadata}
            changed = {name: value for name, value in changes.items() if present[name] != value}
            if not changed:
                return before
            await _write(conn, locked, changed, "session.updated", {"fields": sorted(changed)})
            return await read_session(conn, session_id)

    async def archive(self, organization_id: UUID, session_id: UUID) -> Session:
        """Leave it out of lists; it runs, bills and ends as before. One that is archived stays as it is."""
        return await self._set_archived(organization_id, session_id, True)

    async def restore(self, organization_id: UUID, session_id: UUID) -> Session:
        """Undo `archive`. One that is not archived stays as it is."""
        return await self._set_archived(organization_id, session_id, False)

    async def _set_archived(self, organization_id: UUID, session_id: UUID, archived: bool) -> Session:
        async with self._db.begin() as conn:
            locked = await _locked(conn, organization_id, session_id)
            query = select(sessions.c.archived_at).where(sessions.c.id == session_id)
            if ((await conn.execute(query)).scalar_one() is not None) is not archived:
                stamp = func.statement_timestamp() if archived else None
                type_: Literal["session.archived", "session.restored"]
                type_ = "session.archived" if archived else "session.restored"
                await _write(conn, locked, {"archived_at": stamp}, type_)
            return await read_session(conn, session_id)


async def _locked(conn: AsyncConnection, organization_id: UUID, session_id: UUID) -> LockedSession:
    locked = await lock_session(conn, session_id, organization_id=organization_id)
    if locked is None:
        raise session_not_found()
    return locked


async def _write(
    conn: AsyncConnection,
    locked: LockedSession,
    changed: Mapping[str, Any],
    type_: str,
    data: Mapping[str, Any] | None = None,
) -> None:
    await conn.execute(
        update(sessions)
        .where(sessions.c.id == locked.id)
        .values(**changed, version=sessions.c.version + 1, updated_at=func.statement_timestamp())
    )
    await events.append(conn, locked.id, type_, epoch=locked.epoch, data=data)
    await notify(conn, SESSION_CHANNEL, str(locked.id))
