"""Changing a session's row without its status: each change raises the version, leaves an event and notifies."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncConnection

from store.database.notify.channels import SESSION_CHANNEL, notify
from store.database.tables import sessions
from store.lifecycle import events
from store.lifecycle.locked_session import LockedSession


async def change_row(
    conn: AsyncConnection,
    locked: LockedSession,
    columns: Mapping[str, Any],
    event: str,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Write these columns of the locked session, raise its version, append the event and wake whoever follows it."""
    stamped = {**columns, "version": sessions.c.version + 1, "updated_at": func.statement_timestamp()}
    await conn.execute(update(sessions).where(sessions.c.id == locked.id).values(stamped))
    await events.append(conn, locked.id, event, epoch=locked.epoch, data=data)
    await notify(conn, SESSION_CHANNEL, str(locked.id))
