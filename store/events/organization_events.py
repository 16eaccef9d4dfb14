"""Reading an organization's events in the order of their log, from any point, without a gap."""

from collections.abc import Set
from dataclasses import dataclass, fields
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.errors import ParleyError
from store.database.database import Database
from store.database.page_bytes import PAGE_BYTES
from store.events.cursor import BEGINNING, Cursor
from store.events.event import Event
from store.events.numbering import PENDING, number_events

# A page with a filter by type looks at no more events than this, and goes on from there.
EXAMINED_AT_ONCE = 1000

_COLUMNS = ", ".join(f"e.{field.name}" for field in fields(Event))
_PENDING = text(f"SELECT {PENDING}")
_PLACE = text(
    """
    SELECT coalesce(l.expired_through, 0) AS expired,
        (SELECT id FROM events WHERE organization_id = :organization_id AND position = :position) AS id
    FROM (SELECT) one LEFT JOIN event_logs l ON l.organization_id = :organization_id
    """
)
_NEWEST = text(
    """
    SELECT l.last_position AS position, e.id
    FROM event_logs l LEFT JOIN events e ON e.organization_id = l.organization_id AND e.position = l.last_position
    WHERE l.organization_id = :organization_id
    """
)
_ONE = text(f"SELECT {_COLUMNS} FROM events e WHERE organization_id = :organization_id AND position = :position")
# What the events of a page hold is bounded, too: a message may be long.
_THESE = text(
    f"""
    SELECT {_COLUMNS} FROM (
        SELECT *, sum(bytes) OVER (ORDER BY position) AS bytes_so_far FROM (
            SELECT *, octet_length(facts::text) + coalesce(octet_length(session::text), 0) AS bytes FROM events
            WHERE organization_id = :organization_id AND position = ANY(CAST(:positions AS bigint[]))
        ) AS wanted
    ) AS e
    WHERE bytes_so_far - bytes < {PAGE_BYTES} ORDER BY position
    """
)


def behind(*, of_session: bool, of_agent: bool) -> TextClause:
    """The query of a page; each is read from the index of its own, as no other one has its order."""
    order = "position + 1" if of_session else "position + 0" if of_agent else "position"
    conditions = [f"{order} > :position" + {"position + 1": " + 1", "position + 0": " + 0"}.get(order, "")]
    conditions.append("organization_id = :organization_id")
    conditions += ["session_id = :session_id"] * of_session + ["agent_id = :agent_id"] * of_agent
    return text(
        f"SELECT position, id, type FROM events WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT :examined"
    )


_BEHIND = {
    (of_session, of_agent): behind(of_session=of_session, of_agent=of_agent)
    for of_session in (False, True)
    for of_agent in (False, True)
}


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events of a log, oldest first.

    Attributes:
        cursor: where to go on; it is also past the events that the filter has left out.
        has_more: whether there are more to look at now. A page may be short, or empty, all the same.
    """

    events: tuple[Event, ...]
    cursor: Cursor
    has_more: bool


class OrganizationEvents:
    """The logs of all organizations."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def after(
        self,
        organization_id: UUID,
        cursor: Cursor | None,
        *,
        types: Set[str] | None = None,
        session_id: UUID | None = None,
        agent_id: str | None = None,
        limit: int = 100,
    ) -> EventPage:
        """The events behind the cursor, as far as they have been committed.

        Args:
            cursor: None: from the oldest that is kept.
            types: only these; None: all.
            session_id, agent_id: only those of this session, or agent.
            limit: events, at most; there are fewer where they are long (`store.database.page_bytes`).

        Raises:
            ParleyError: `cursor.expired`: events behind the cursor are not kept any more; `cursor.unknown`: it is of
                another organization, or of a log that was restored to an earlier time.
        """
        asked = _Asked(organization_id, types, session_id, agent_id, limit)
        async with self._db.begin() as conn:
            if not (await conn.execute(_PENDING)).scalar_one():
                return await _kept_page(conn, asked, cursor)
        await number_events(self._db)
        async with self._db.begin() as conn:
            return await _kept_page(conn, asked, cursor)

    async def newest_cursor(self, organization_id: UUID) -> Cursor:
        """The cursor behind everything that has been committed: who goes on from it gets what happens from now on."""
        await number_events(self._db)
        async with self._db.begin() as conn:
            row = (await conn.execute(_NEWEST, {"organization_id": organization_id})).one_or_none()
        if row is None:
            return BEGINNING
        return Cursor(row.position, 0) if row.id is None else Cursor.at(row.position, row.id)

    async def at(self, organization_id: UUID, position: int) -> Event | None:
        """One event as it is now; None when it is not kept any more, or there never was one."""
        async with self._db.begin() as conn:
            row = (await conn.execute(_ONE, {"organization_id": organization_id, "position": position})).one_or_none()
        return None if row is None else Event(**row._mapping)


@dataclass(frozen=True, slots=True)
class _Asked:
    organization_id: UUID
    types: Set[str] | None
    session_id: UUID | None
    agent_id: str | None
    limit: int


async def _kept_page(conn: AsyncConnection, asked: _Asked, cursor: Cursor | None) -> EventPage:
    """A page that lacks nothing of what was behind the cursor.

    Raises:
        ParleyError: as `OrganizationEvents.after`.
    """
    page = await _page(conn, asked, cursor or BEGINNING)
    if cursor is None:
        return page
    # Only now: what had expired while the page was read would be skipped, and nobody told.
    found = (await conn.execute(_PLACE, {"organization_id": asked.organization_id, "position": cursor.position})).one()
    if cursor.position < found.expired:
        raise ParleyError("cursor.expired", "events behind this cursor are not kept any more", param="after")
    forgotten = cursor.position == found.expired and found.id is None  # it was the last one to go
    if not forgotten and (found.id is None or not cursor.names(found.id)):
        raise ParleyError("cursor.unknown", "this log has no such event", param="after")
    return page


async def _page(conn: AsyncConnection, asked: _Asked, cursor: Cursor) -> EventPage:
    """The events behind the cursor that are numbered."""
    examined = asked.limit + 1 if asked.types is None else max(asked.limit + 1, EXAMINED_AT_ONCE)
    query = _BEHIND[asked.session_id is not None, asked.agent_id is not None]
    values = {
        "organization_id": asked.organization_id,
        "position": cursor.position,
        "session_id": asked.session_id,
        "agent_id": asked.agent_id,
        "examined": examined,
    }
    rows = (await conn.execute(query, values)).all()
    wanted = [row for row in rows if asked.types is None or row.type in asked.types]
    if len(wanted) > asked.limit:
        wanted, more = wanted[: asked.limit], True
        cursor = Cursor.at(wanted[-1].position, wanted[-1].id)
    else:
        more = len(rows) == examined
        cursor = Cursor.at(rows[-1].position, rows[-1].id) if rows else cursor
    events = await _events(conn, asked.organization_id, [row.position for row in wanted])
    if events and events[-1].position < wanted[-1].position:
        return EventPage(events, events[-1].cursor, has_more=True)
    return EventPage(events, cursor, more)


async def _events(conn: AsyncConnection, organization_id: UUID, positions: list[int]) -> tuple[Event, ...]:
    if not positions:
        return ()
    rows = await conn.execute(_THESE, {"organization_id": organization_id, "positions": positions})
    return tuple(Event(**row) for row in rows.mappings())
