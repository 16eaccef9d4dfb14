"""A transcript's segments, page by page in the order of time: however long it is, a page is all that is in memory."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.exc import NoResultFound

from sessions.session import Session
from sessions.texts.transcript import TranscriptHead, TranscriptSegment
from store.database.database import Database
from store.database.page_bytes import PAGE_BYTES, ROWS_AT_ONCE, of_bounded_bytes
from store.database.tables import log_entries
from store.lifecycle.session_rows import read_session
from store.outputs.cut_times import CutTimes

# Who publishes what somebody says, as agents do, says it best: our own text of that participant is left out. It is one
# look into an index for each entry: an EXISTS is made into a hash of all that was published, for every page anew.
OURS_ALONE = """
    (log_entries.source <> 'speech' OR (
        SELECT true FROM log_entries t WHERE t.session_id = log_entries.session_id AND t.source = 'lk.transcription'
          AND t.final AND t.identity = coalesce(log_entries.identity, '') LIMIT 1) IS NULL)
"""
_COLUMNS = (
    *("seq", "speaker", "identity", "role", "text", "at_ms", "end_ms", "final", "confidence", "words"),
    *("source", "reason"),
)
_LAST_SEQ = text("SELECT coalesce(max(seq), 0) FROM log_entries WHERE session_id = :id")
_MADE = text(
    f"""
    SELECT number, segment FROM (
        SELECT *, sum(bytes) OVER (ORDER BY number) AS bytes_so_far FROM (
            SELECT ordinality AS number, value AS segment, octet_length(value::text) AS bytes
            FROM transcript_versions, jsonb_array_elements(segments) WITH ORDINALITY
            WHERE session_id = :id AND version = :version AND ordinality > :after
            ORDER BY ordinality LIMIT {ROWS_AT_ONCE}
        ) AS found
    ) AS sized
    WHERE bytes_so_far - bytes < {PAGE_BYTES} ORDER BY number
    """
)

Page = list[TranscriptSegment]


async def transcript_pages(db: Database, session: Session, head: TranscriptHead) -> AsyncIterator[Page]:
    """The segments of that version, a page after the other; none of them is empty."""
    cuts = await CutTimes.of(db, session)
    if head.version == 1:
        async for page in _logged(db, session.id, cuts, with_speech=True):
            yield page
        return
    async with db.begin() as conn:
        last: int = (await conn.execute(_LAST_SEQ, {"id": session.id})).scalar_one()
    others = _logged(db, session.id, cuts, with_speech=False)
    async for page in _merged(others, _made(db, session.id, head.version, last)):
        yield page


async def segments_after(db: Database, session_id: UUID, seq: int) -> tuple[Page, int]:
    """The segments of the log's entries behind `seq`, in the order of the log, and how far it was looked at."""
    columns = log_entries.c
    query = (
        select(*(columns[name] for name in _COLUMNS))
        .where(columns.session_id == session_id, columns.final, columns.seq > seq)
        .where(text(OURS_ALONE))
        .order_by(columns.seq)
        .limit(ROWS_AT_ONCE)
    )
    bounded = of_bounded_bytes(query, order=["seq"], texts=["text", "words"])
    async with db.begin() as conn:
        last: int = (await conn.execute(_LAST_SEQ, {"id": session_id})).scalar_one()
        rows = (await conn.execute(bounded)).all() if last > seq else []
        if not rows:
            return [], max(last, seq)
        try:
            session = await read_session(conn, session_id)
        except NoResultFound:  # it was just erased
            return [], seq
    cuts = await CutTimes.of(db, session)
    is_all = len(rows) == rows[0].looked_at < ROWS_AT_ONCE
    return [_segment(row, cuts) for row in rows], max(last, rows[-1].seq) if is_all else rows[-1].seq


async def _logged(db: Database, session_id: UUID, cuts: CutTimes, *, with_speech: bool) -> AsyncIterator[Page]:
    """The log's final entries; where pauses are cut out of the file, times are the file's."""
    columns = log_entries.c
    query = (
        select(*(columns[name] for name in _COLUMNS))
        .where(columns.session_id == session_id, columns.final)
        .where(text("(at_ms, seq) > (:at_ms, :after)"))
        .where(text(OURS_ALONE) if with_speech else columns.source != "speech")
        .order_by(columns.at_ms, columns.seq)
        .limit(ROWS_AT_ONCE)
    )
    bounded = of_bounded_bytes(query, order=["at_ms", "seq"], texts=["text", "words"])
    values, has_more = {"at_ms": -1 << 62, "after": 0}, True
    while has_more:
        async with db.begin() as conn:
            rows = (await conn.execute(bounded, values)).all()
        if not rows:
            return
        yield [_segment(row, cuts) for row in rows]
        values = {"at_ms": rows[-1].at_ms, "after": rows[-1].seq}
        has_more = len(rows) < rows[0].looked_at or rows[0].looked_at == ROWS_AT_ONCE


async def _made(db: Database, session_id: UUID, version: int, last_seq: int) -> AsyncIterator[Page]:
    """What a version has recognized, with numbers behind the log's."""
    after = 0
    while True:
        async with db.begin() as conn:
            values = {"id": session_id, "version": version, "after": after}
            rows = (await conn.execute(_MADE, values)).all()
        if not rows:
            return
        yield [TranscriptSegment(seq=last_seq + row.number, final=True, source="speech", **row.segment) for row in rows]
        after = rows[-1].number


async def _merged(first: AsyncIterator[Page], second: AsyncIterator[Page]) -> AsyncIterator[Page]:
    """Both in one order of time."""
    some: Page = await anext(first, [])
    others: Page = await anext(second, [])
    while some and others:
        until_ms = min(some[-1].start_ms, others[-1].start_ms)
        ready = [one for one in some + others if one.start_ms <= until_ms]
        some = [one for one in some if one.start_ms > until_ms] or await anext(first, [])
        others = [one for one in others if one.start_ms > until_ms] or await anext(second, [])
        yield sorted(ready, key=lambda one: one.start_ms)
    while some or others:
        yield some or others
        some, others = (await anext(first, []), []) if some else ([], await anext(second, []))


def _segment(row: Any, cuts: CutTimes) -> TranscriptSegment:
    words = row.words and [
        {**word, "start_ms": cuts.in_file(word["start_ms"]), "end_ms": cuts.in_file(word["end_ms"])}
        for word in row.words
    ]
    return TranscriptSegment(
        seq=row.seq,
        speaker=row.speaker,
        identity=row.identity,
        role=row.role,
        text=row.text,
        start_ms=cuts.in_file(row.at_ms),
        end_ms=cuts.in_file(max(row.end_ms or row.at_ms, row.at_ms)),
        final=row.final,
        confidence=row.confidence,
        words=words or None,
        source=row.source,
        reason=row.reason,
    )
