"""From where a replay starts that is asked for by a time."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from store.database.database import Database
from store.events.cursor import BEGINNING, Cursor
from store.events.organization_events import OrganizationEvents

_EXPIRED = text("SELECT expired_through FROM event_logs WHERE organization_id = :organization_id")
_RECORDED = text("SELECT id, recorded_at FROM events WHERE organization_id = :organization_id AND position = :position")


async def cursor_before(
    db: Database, events: OrganizationEvents, organization_id: UUID, instant: datetime
) -> Cursor | None:
    """The cursor of the last event that was in the log before `instant`; None: the oldest that is kept comes later.

    Positions are in the order of the times at which events entered the log, a moment after they happened: halving finds
    the place in as many steps as a million has digits in base 2.
    """
    newest = await events.newest_cursor(organization_id)
    async with db.begin() as conn:
        of_this = {"organization_id": organization_id}
        earlier = int((await conn.execute(_EXPIRED, of_this)).scalar_one_or_none() or 0)
        later = newest.position + 1
        found: Cursor | None = BEGINNING if earlier == 0 else None
        while later - earlier > 1:
            middle = (earlier + later) // 2
            row = (await conn.execute(_RECORDED, {**of_this, "position": middle})).one_or_none()
            if row is None or row.recorded_at < instant:  # none: it has just gone
                earlier = middle
                found = None if row is None else Cursor.at(middle, row.id)
            else:
                later = middle
    return found
