"""Reading sessions for their organization: the resource, lists, events, the recording."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.errors import session_not_found
from sessions.lifecycle.recording_state import RecordingState
from sessions.session import RecordingOptions, Session
from store.database.database import Database
from store.database.page_bytes import ROWS_AT_ONCE, of_bounded_bytes
from store.database.tables import recordings, runs, session_events, sessions
from store.lifecycle.session_rows import recording_options, session_select, to_session
from store.sessions.filter import SessionFilter, page_of_ids
from store.sessions.participants import names_of, participants_of

_LONG_TEXTS = ("title", "prompt", "data", "metadata", "tags")


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """One event of a session. `status_from` and `status_to` are set where it is a transition."""

    id: UUID
    session_id: UUID
    seq: int
    type: str
    at: datetime
    epoch: int
    status_from: str | None
    status_to: str | None
    code: str | None
    fault: str | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recording:
    """The recording of a session as far as it has come; fields that the product decides are None until it is stored.

    Attributes:
        id: None before the recording was frozen.
        gaps: {start_ms, end_ms, code} each.
        absences: {start_ms, end_ms} of each stretch in which nobody was in the room.
        current_peak_dbfs: the level at the last beat, None unless it is being recorded.
    """

    session_id: UUID
    id: UUID | None
    state: RecordingState
    reason: str | None
    options: RecordingOptions
    object_key: str | None
    sha256: str | None
    size_bytes: int | None
    duration_ms: int | None
    sample_rate: int | None
    channels: int | None
    peak_dbfs: float | None
    tracks: list[dict[str, Any]] | None
    gaps: list[dict[str, Any]] | None
    absences: list[dict[str, Any]] | None
    frozen_at: datetime | None
    committed_at: datetime | None
    current_peak_dbfs: float | None


class SessionQueries:
    """Every read but `current` is bound to an organization, and does not find what belongs to another one."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, organization_id: UUID, session_id: UUID, *, participants: bool = False) -> Session:
        """The session; with its `participants` on request."""
        async with self._db.begin() as conn:
            query = session_select().where(*_own(organization_id, session_id))
            row = (await conn.execute(query)).one_or_none()
            if row is None:
                raise session_not_found()
            who = await participants_of(conn, [session_id]) if participants else {}
        return replace(to_session(row), participants=who.get(session_id))

    async def agent_of(self, organization_id: UUID, session_id: UUID) -> str:
        """The agent that the session belongs to; it never changes."""
        async with self._db.begin() as conn:
            query = select(sessions.c.agent_id).where(*_own(organization_id, session_id))
            agent_id: str | None = (await conn.execute(query)).scalar_one_or_none()
        if agent_id is None:
            raise session_not_found()
        return agent_id

    async def current(self, ids: Iterable[UUID]) -> dict[UUID, Session]:
        """Those of these sessions that exist, of any organization: for callers that have checked before."""
        async with self._db.begin() as conn:
            return {session.id: session for session in await _by_ids(conn, ids)}

    async def events(
        self, organization_id: UUID, session_id: UUID, after: int = 0, limit: int = 20
    ) -> tuple[list[SessionEvent], bool]:
        """The session's events with a larger `seq` than `after`, oldest first, and whether there are more.

        Args:
            limit: events, at most; there are fewer where they are long (`store.database.page_bytes`).
        """
        query = _events(session_id).where(session_events.c.seq > after)
        return await self._read_events(organization_id, session_id, query, limit)

    async def timeline(
        self, organization_id: UUID, session_id: UUID, after: int = 0, limit: int = ROWS_AT_ONCE
    ) -> tuple[list[SessionEvent], bool]:
        """The session's transitions with a larger `seq` than `after`, oldest first, and whether there are more."""
        query = _events(session_id).where(session_events.c.seq > after, session_events.c.status_to.is_not(None))
        return await self._read_events(organization_id, session_id, query, limit)

    async def recording(self, organization_id: UUID, session_id: UUID, *, names: bool = False) -> Recording:
        """The recording's state, and what it is once it is stored.

        Args:
            names: each track with its `participant_name`.
        """
        async with self._db.begin() as conn:
            row = (await conn.execute(_recording(organization_id, session_id))).mappings().one_or_none()
            if row is None:
                raise session_not_found()
            named = await names_of(conn, session_id) if names and row["tracks"] else {}
        plain = {field.name: row[field.name] for field in fields(Recording) if field.name not in ("options",)}
        recording = Recording(**plain, options=recording_options(row))
        if not names or recording.tracks is None:
            return recording
        tracks = [{**track, "participant_name": named.get(track["identity"])} for track in recording.tracks]
        return replace(recording, tracks=tracks)

    async def _read_events(
        self, organization_id: UUID, session_id: UUID, query: Select[Any], limit: int
    ) -> tuple[list[SessionEvent], bool]:
        most = min(limit, ROWS_AT_ONCE)
        bounded = of_bounded_bytes(query.limit(most + 1), order=["seq"], texts=["data"])
        async with self._db.begin() as conn:
            exists = await conn.execute(select(sessions.c.id).where(*_own(organization_id, session_id)))
            if exists.one_or_none() is None:
                raise session_not_found()
            rows = (await conn.execute(bounded)).all()
        return [SessionEvent(*row[:-1]) for row in rows[:most]], bool(rows) and rows[0].looked_at > min(len(rows), most)

    async def list(
        self,
        organization_id: UUID,
        chosen: SessionFilter,
        limit: int = 20,
        starting_after: UUID | None = None,
        *,
        participants: bool = False,
    ) -> tuple[list[Session], bool]:
        """A page of the organization's sessions, newest first, and whether there are more.

        Args:
            limit: 1..100, at most; there are fewer where they are long (`store.database.page_bytes`).
            starting_after: the id that the page starts after; it need not exist.
            participants: each with its `participants`.
        """
        async with self._db.begin() as conn:
            found = (await conn.execute(page_of_ids(organization_id, chosen, limit, starting_after))).scalars().all()
            page = await _by_ids(conn, found[:limit], _LONG_TEXTS)
            if participants:
                who = await participants_of(conn, [session.id for session in page])
                page = [replace(session, participants=who[session.id]) for session in page]
        return page, bool(page) and page[-1].id != found[-1]


def _own(organization_id: UUID, session_id: UUID) -> tuple[Any, Any]:
    return sessions.c.id == session_id, sessions.c.organization_id == organization_id


async def _by_ids(conn: AsyncConnection, ids: Iterable[UUID], long_texts: Sequence[str] = ()) -> list[Session]:
    """The sessions that exist, newest first; with `long_texts` only as many as make a page."""
    wanted = list(ids)
    if not wanted:
        return []
    query = session_select().where(sessions.c.id.in_(wanted)).order_by(sessions.c.id.desc())
    if long_texts:
        query = of_bounded_bytes(query, order=["id"], texts=long_texts, descending=True)
    return [to_session(row) for row in await conn.execute(query)]


def _events(session_id: UUID) -> Select[Any]:
    columns = [session_events.c[field.name] for field in fields(SessionEvent)]
    return select(*columns).where(session_events.c.session_id == session_id).order_by(session_events.c.seq)


def _recording(organization_id: UUID, session_id: UUID) -> Select[Any]:
    current_peak = (
        select(runs.c.peak_dbfs)
        .where(runs.c.session_id == sessions.c.id, runs.c.epoch == sessions.c.epoch)
        .where(sessions.c.recording_state == "recording")
        .scalar_subquery()
    )
    return (
        select(
            *(column for column in recordings.c if column.name not in ("session_id", "plan")),
            sessions.c.id.label("session_id"),
            sessions.c.recording_state.label("state"),
            sessions.c.recording_reason.label("reason"),
            *(sessions.c[name] for name in ("layout", "on_pause", "formats", "track_files")),
            current_peak.label("current_peak_dbfs"),
        )
        .select_from(sessions.outerjoin(recordings, recordings.c.session_id == sessions.c.id))
        .where(*_own(organization_id, session_id))
    )
