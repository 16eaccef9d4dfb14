"""What may be changed of a session beside its status: title, tags, metadata, and whether it is archived."""

from typing import Any, Literal, TypedDict
from uuid import UUID

from sqlalchemy import func, select

from sessions.session import Session
from store.database.database import Database
from store.database.tables import sessions
from store.lifecycle.locked_session import lock_own_session
from store.lifecycle.row_changes import change_row
from store.lifecycle.session_rows import read_session


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
            locked = await lock_own_session(conn, organization_id, session_id)
            before = await read_session(conn, session_id)
            present = {"title": before.title, "tags": list(before.tags), "metadata": before.metadata}
            changed = {name: value for name, value in changes.items() if present[name] != value}
            if not changed:
                return before
            await change_row(conn, locked, changed, "session.updated", {"fields": sorted(changed)})
            return await read_session(conn, session_id)

    async def archive(self, organization_id: UUID, session_id: UUID) -> Session:
        """Leave it out of lists; it runs, bills and ends as before. One that is archived stays as it is."""
        return await self._set_archived(organization_id, session_id, True)

    async def restore(self, organization_id: UUID, session_id: UUID) -> Session:
        """Undo `archive`. One that is not archived stays as it is."""
        return await self._set_archived(organization_id, session_id, False)

    async def _set_archived(self, organization_id: UUID, session_id: UUID, archived: bool) -> Session:
        async with self._db.begin() as conn:
            locked = await lock_own_session(conn, organization_id, session_id)
            query = select(sessions.c.archived_at).where(sessions.c.id == session_id)
            if ((await conn.execute(query)).scalar_one() is not None) is not archived:
                stamp = func.statement_timestamp() if archived else None
                type_: Literal["session.archived", "session.restored"]
                type_ = "session.archived" if archived else "session.restored"
                await change_row(conn, locked, {"archived_at": stamp}, type_)
            return await read_session(conn, session_id)
