"""The log of a session: order, de-duplication, previews, the fence."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from store.runs.fence import Fence, Replaced
from store.sessions.log.session_log import LogEntry, NewLogEntry, SessionLog
from tests.support.running.engine import Engine


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    """A store with a fresh database."""
    async with Engine.open(database_url) as opened:
        yield opened


def segment(text: str, **more: Any) -> NewLogEntry:
    """A final segment of an agent's transcription."""
    values: dict[str, Any] = {"kind": "segment", "role": "assistant", "source": "lk.transcription", **more}
    return NewLogEntry(text=text, **values)


def told(entries: list[LogEntry]) -> list[tuple[int, str]]:
    """What there is of entries in a list."""
    return [(entry.seq, entry.text) for entry in entries]


async def test_a_segment_with_a_known_id_is_taken_once_per_source(engine: Engine) -> None:
    """The second one leaves no hole in the numbers."""
    session_id = await engine.new_session()
    log = SessionLog(engine.db)
    await log.append(session_id, [segment("one", external_id="a"), segment("again", external_id="a")])
    new = await log.append(
        session_id,
        [
            segment("again", external_id="a"),
            segment("two", external_id="b"),
            segment("3", external_id="a", source="speech"),
        ],
    )
    assert told(new) == [(2, "two"), (3, "3")]


async def test_only_messages_are_counted_and_both_kinds_are_one_order(engine: Engine) -> None:
    """A page of one kind leaves the other out."""
    session_id = await engine.new_session()
    log = SessionLog(engine.db)
    chat = NewLogEntry(kind="message", role="user", text="hi", source="lk.chat", identity="ann", external_id="x")
    await log.append(session_id, [segment("one", words=[{"text": "one"}]), chat, segment(" ", role="user")])
    organization_id = (await engine.session(session_id)).organization_id
    everything = await log.all(organization_id, session_id)
    messages, more = await log.page(organization_id, session_id, kind="message", limit=1)
    session = await engine.session(session_id)
    assert [entry.seq for entry in everything] == [1, 2, 3]
    assert (told(messages), more) == ([(2, "hi")], False)
    assert (everything[0].words, everything[1].words) == ([{"text": "one"}], None)
    assert (session.message_count, session.preview, session.output_preview) == (1, "hi", "one")


async def _ago(engine: Engine, *seconds: float) -> list[datetime]:
    """Instants before now on PostgreSQL's clock."""
    [row] = await engine.sql("SELECT clock_timestamp() AS now")
    return [row.now - timedelta(seconds=one) for one in seconds]


@pytest.mark.parametrize(
    ("since", "until", "kept"),
    [(30, 21, True), (21, 19, False), (25, 5, False), (18, 12, False), (12, 8, False), (9, 5, True), (9, 2, False)],
)
async def test_nothing_that_a_pause_overlaps_is_logged(engine: Engine, since: int, until: int, kept: bool) -> None:
    """Paused from 20 s ago to 10 s ago, and again since 3 s, whatever the worker knew of it."""
    fence = await engine.running()
    await engine.sql(
        "INSERT INTO session_pauses VALUES (:id, clock_timestamp() - interval '20 s', clock_timestamp() -"
        " interval '10 s'), (:id, clock_timestamp() - interval '3 s', NULL)",
        id=fence.session_id,
    )
    log = SessionLog(engine.db)
    written = await log.append_heard(fence, [segment("a card number")], *await _ago(engine, since, until))
    assert [entry.text for entry in written] == (["a card number"] if kept else [])
    rows = await engine.sql("SELECT text FROM log_entries")
    assert len(rows) == kept
    assert (await engine.session(fence.session_id)).output_preview == ("a card number" if kept else None)


async def test_a_replaced_worker_logs_and_delivers_nothing(engine: Engine) -> None:
    """Its successor's word counts."""
    old = await engine.running()
    log = SessionLog(engine.db)
    waiting = NewLogEntry(kind="message", role="user", text="hello", source="api", delivered=False)
    await log.append(old.session_id, [waiting])
    await engine.claims.release(old.owner, lost=False)
    new = await engine.takeover(old.session_id)
    with pytest.raises(Replaced):
        await log.append_heard(old, [segment("late")], *await _ago(engine, 1, 0))
    stranger = Fence(new.session_id, new.epoch, old.owner)
    with pytest.raises(Replaced):
        await log.append_heard(stranger, [segment("strange")], *await _ago(engine, 1, 0))
    await log.delivered(old, [1])
    await log.delivered(stranger, [1])
    assert told(await log.undelivered(new.session_id)) == [(1, "hello")]
    await log.delivered(new, [1])
    assert await log.undelivered(new.session_id) == []
