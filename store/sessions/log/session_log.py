"""The log of a session: messages and transcript segments in one order, whoever wrote them.

An entry is written in a transaction that holds the session's row, so `seq` has no holes and readers that go on after a
`seq` miss nothing. The session's `message_count`, `last_active_at`, `preview` and `output_preview` follow in the same
transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.errors import session_not_found
from sessions.ids import format_id, new_uuid
from sessions.texts.transcript import Unheard
from store.database.database import Database
from store.database.notify.channels import DELIVERED_CHANNEL, LOG_CHANNEL, notify
from store.database.page_bytes import ROWS_AT_ONCE, of_bounded_bytes
from store.database.tables import log_entries, sessions
from store.lifecycle import events
from store.lifecycle.locked_session import LockedSession, lock_session
from store.lifecycle.pauses import paused_within
from store.runs.fence import Fence
from store.runs.fenced_session import lock_fenced_session
from store.sessions.log.preview import preview

Kind = Literal["message", "segment"]
Role = Literal["user", "assistant", "system"]
Source = Literal["api", "lk.chat", "lk.transcription", "speech"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLogEntry:
    """What is to be logged.

    Attributes:
        role: `user`: a participant; `assistant`: the other side (an agent); `system`: neither.
        speaker: a name to show.
        identity: of the participant in the room.
        text: all of it as plain text; empty when there is a `reason`.
        content: content blocks, when it was more than a text.
        start_ms: from the session's `started_at`; None: unknown.
        words: {text, start_ms, end_ms, …} each, where an engine gives them.
        external_id: of the stream or segment; a second entry of the same source with the same one is left out.
        created_at: now unless given.
        delivered: it is in the room already, or needs no room; False: a worker has to put it there.
    """

    kind: Kind
    role: Role
    text: str
    source: Source
    speaker: str | None = None
    identity: str | None = None
    content: list[dict[str, Any]] | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    final: bool = True
    confidence: float | None = None
    words: list[dict[str, Any]] | None = None
    external_id: str | None = None
    reason: Unheard | None = None
    created_at: datetime | None = None
    delivered: bool = True


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry as stored; `id` is a message's `msg_…`, `delivered_at` None while it waits for a worker."""

    session_id: UUID
    seq: int
    id: UUID
    kind: Kind
    role: Role
    speaker: str | None
    identity: str | None
    text: str
    content: list[dict[str, Any]] | None
    start_ms: int | None
    end_ms: int | None
    final: bool
    confidence: float | None
    words: list[dict[str, Any]] | None
    source: Source
    external_id: str | None
    reason: Unheard | None
    created_at: datetime
    delivered_at: datetime | None


_COLUMNS = [log_entries.c[field.name] for field in fields(LogEntry)]
_LAST_SEQ = text(
    "SELECT coalesce(max(seq), 0) AS seq, clock_timestamp() AS now FROM log_entries WHERE session_id = :id"
)
_OPEN_TRANSCRIPT = text("SELECT FROM transcripts WHERE session_id = :id AND state = 'pending'")
_CLOSED_TRANSCRIPT = text("SELECT FROM transcripts WHERE session_id = :id AND state <> 'pending'")
_SENT = text(
    """
    UPDATE log_entries e SET delivered_at = statement_timestamp()
    FROM runs r JOIN sessions s ON s.id = r.session_id AND s.epoch = r.epoch
    WHERE r.session_id = :session_id AND r.epoch = :epoch AND r.owner = :owner
      AND e.session_id = r.session_id AND e.seq = ANY(CAST(:seqs AS int[])) AND e.delivered_at IS NULL
    """
)


async def append(conn: AsyncConnection, locked: LockedSession, entries: Sequence[NewLogEntry]) -> list[LogEntry]:
    """Write entries at the end of the log, in their order.

    Args:
        locked: from `lock_session` in this transaction.

    Returns:
        Those that were new; an entry whose `external_id` is known from the same source is left out.
    """
    if not entries:
        return []
    last = (await conn.execute(_LAST_SEQ, {"id": locked.id})).one()
    written: list[LogEntry] = []
    for entry in entries:
        values = {field.name: getattr(entry, field.name) for field in fields(entry) if field.name != "delivered"}
        values |= {
            "session_id": locked.id,
            "seq": last.seq + len(written) + 1,
            "id": new_uuid(last.now),
            "created_at": entry.created_at or last.now,
            "delivered_at": last.now if entry.delivered else None,
        }
        new = insert(log_entries).values(values)
        if entry.external_id is not None:
            new = new.on_conflict_do_nothing(constraint="uq_log_entries_external")
        row = (await conn.execute(new.returning(*_COLUMNS))).mappings().one_or_none()
        if row is not None:
            written.append(LogEntry(**row))
    if written:
        await _follow(conn, locked.id, written, last.now)
        await notify(conn, LOG_CHANNEL, str(locked.id))
        for message in (entry for entry in written if entry.kind == "message"):
            await _tell(conn, locked, message)
    return written


async def _tell(conn: AsyncConnection, locked: LockedSession, message: LogEntry) -> None:
    """Leave an event of a new message."""
    await events.append(
        conn,
        locked.id,
        "message.created",
        epoch=locked.epoch,
        data={
            "message_id": format_id("msg", message.id),
            "message_seq": message.seq,
            "role": message.role,
            "source": message.source,
        },
        content={"text": message.text},
    )


async def _follow(conn: AsyncConnection, session_id: UUID, written: Sequence[LogEntry], now: datetime) -> None:
    """Bring the session's counters and previews up to date with its log."""
    spoken = [entry for entry in written if entry.final and entry.text.strip()]
    first = next((entry.text for entry in spoken if entry.role == "user"), None)
    last = next((entry.text for entry in reversed(spoken) if entry.role == "assistant"), None)
    changes: dict[str, Any] = {
        "version": sessions.c.version + 1,
        "updated_at": now,
        "last_active_at": now,
        "message_count": sessions.c.message_count + sum(entry.kind == "message" for entry in written),
    }
    if first is not None:
        changes["preview"] = func.coalesce(sessions.c.preview, preview(first))
    if last is not None:
        changes["output_preview"] = preview(last)
    await conn.execute(update(sessions).where(sessions.c.id == session_id).values(changes))


class SessionLog:
    """Reads the log for organizations and workers, and writes it for jobs and workers."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def page(
        self, organization_id: UUID, session_id: UUID, *, kind: Kind | None = None, after: int = 0, limit: int
    ) -> tuple[list[LogEntry], bool]:
        """Entries with a larger `seq` than `after`, oldest first, and whether there are more.

        Args:
            kind: only messages, or only segments.
            limit: entries, at most; there are fewer where they are long (`store.database.page_bytes`).

        Raises:
            ParleyError: `not_found`.
        """
        query = select(*_COLUMNS).where(log_entries.c.session_id == session_id, log_entries.c.seq > after)
        if kind is not None:
            query = query.where(text(f"kind = '{kind}'"))
        most = min(limit, ROWS_AT_ONCE)
        query = query.order_by(log_entries.c.seq).limit(most + 1)
        bounded = of_bounded_bytes(query, order=["seq"], texts=["text", "content", "words"])
        own = select(sessions.c.id).where(sessions.c.id == session_id, sessions.c.organization_id == organization_id)
        async with self._db.begin() as conn:
            if (await conn.execute(own)).one_or_none() is None:
                raise session_not_found()
            rows = (await conn.execute(bounded)).all()
        found = [LogEntry(*row[:-1]) for row in rows[:most]]
        return found, bool(rows) and rows[0].looked_at > len(found)

    async def all(self, organization_id: UUID, session_id: UUID, *, after: int = 0) -> list[LogEntry]:
        """Every entry with a larger `seq` than `after`, for workers: an API has no memory for them.

        Raises:
            ParleyError: `not_found`.
        """
        found: list[LogEntry] = []
        has_more = True
        while has_more:
            page, has_more = await self.page(organization_id, session_id, after=after, limit=ROWS_AT_ONCE)
            found += page
            after = found[-1].seq if found else after
        return found

    async def entry(self, session_id: UUID, seq: int) -> LogEntry | None:
        """One entry, for callers that have checked before."""
        query = select(*_COLUMNS).where(log_entries.c.session_id == session_id, log_entries.c.seq == seq)
        async with self._db.begin() as conn:
            row = (await conn.execute(query)).mappings().one_or_none()
        return None if row is None else LogEntry(**row)

    async def append(self, session_id: UUID, entries: Sequence[NewLogEntry]) -> list[LogEntry]:
        """`append` in a transaction of its own, for jobs; nothing when there is no such session."""
        async with self._db.begin() as conn:
            locked = await lock_session(conn, session_id)
            return [] if locked is None else await append(conn, locked, entries)

    async def append_recognized(self, session_id: UUID, entries: Sequence[NewLogEntry]) -> bool:
        """Log what the job that closes the transcript has recognized; see `append`.

        Returns:
            False when the transcript is closed, or the session gone: nothing is written. Somebody else has closed it
            with all that was said, and would be contradicted.
        """
        async with self._db.begin() as conn:
            locked = await lock_session(conn, session_id)
            if locked is None or (await conn.execute(_OPEN_TRANSCRIPT, {"id": session_id})).one_or_none() is None:
                return False
            await append(conn, locked, entries)
            return True

    async def append_heard(
        self, fence: Fence, entries: Sequence[NewLogEntry], since: datetime, until: datetime
    ) -> list[LogEntry]:
        """Log what a worker heard in the room between two instants of PostgreSQL's clock; see `append`.

        What is said in a pause is confidential: nothing is written when one overlaps that time, even one that the
        worker has not heard of yet.

        Raises:
            Replaced: another run has the session.
        """
        async with self._db.begin() as conn:
            locked = await lock_fenced_session(conn, fence)
            if await paused_within(conn, fence.session_id, since, until):
                return []
            return await append(conn, locked, entries)

    async def append_spoken(self, session_id: UUID, entry: NewLogEntry, since: datetime, until: datetime) -> bool:
        """Log what was recognized of a session that may still run, spoken between two instants of PostgreSQL's clock.

        Nothing is written when a pause or the end overlaps that time, even one that nobody else has heard of yet, nor
        once the transcript is closed.

        Returns:
            Whether that time is logged now.
        """
        async with self._db.begin() as conn:
            locked = await lock_session(conn, session_id)
            if locked is None or await paused_within(conn, session_id, since, until):
                return False
            ending_at = (await conn.execute(select(sessions.c.ending_at).where(sessions.c.id == session_id))).scalar()
            if ending_at is not None and ending_at < until:
                return False
            if (await conn.execute(_CLOSED_TRANSCRIPT, {"id": session_id})).one_or_none() is not None:
                return False  # the job that closed it has heard everything
            await append(conn, locked, [entry])
            return True

    async def undelivered(self, session_id: UUID, limit: int = 100) -> list[LogEntry]:
        """Messages that no worker has put into the room yet, oldest first."""
        query = (
            select(*_COLUMNS)
            .where(log_entries.c.session_id == session_id, text("source = 'api' AND delivered_at IS NULL"))
            .order_by(log_entries.c.seq)
            .limit(limit)
        )
        async with self._db.begin() as conn:
            return [LogEntry(**row) for row in (await conn.execute(query)).mappings()]

    async def delivered(self, fence: Fence, seqs: Sequence[int]) -> None:
        """Note that these messages are in the room; not for a replaced worker, whose successor sends them again."""
        async with self._db.begin() as conn:
            if (await conn.execute(_SENT, {**fence.parameters, "seqs": list(seqs)})).rowcount:
                await notify(conn, DELIVERED_CHANNEL, str(fence.session_id))
