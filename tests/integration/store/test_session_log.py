"""The log of a session: order, de-duplication, previews, the fence."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from store.fence import Fence, Replaced
from store.session_log import LogEntry, NewLogEntry, SessionLog
from tests.support.engine import Engine


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
    everything, _ = await log.page(organization_id, session_id)
    messages, more = await log.page(organization_id, session_id, kind="message", limit=1)
    session = await engine.session(session_id)
    assert [entry.seq for entry in everything] == [1, 2, 3]
    assert (told(messages), more) == ([(2, "hi")], False)
    assert (everything[0].words, everything[1].words) == ([{"text": "one"}], None)
    assert (session.message_count, session.preview, session.output_preview) == (1, "hi", "one")


async def test_a_replaced_worker_logs_and_delivers_nothing(engine: Engine) -> None:
    """Its successor's word counts."""
    old = await engine.running()
    log = SessionLog(engine.db)
    waiting = NewLogEntry(kind="message", role="user", text="hello", source="api", delivered=False)
    await log.append(old.session_id, [waiting])
    await engine.claims.release(old.owner, lost=False)
    new = await engine.takeover(old.session_id)
    with pytest.raises(Replaced):
        await log.append_fenced(old, [segment("late")])
    await log.delivered(old, [1])
    await log.delivered(Fence(new.session_id, new.epoch, old.owner), [1])
    assert told(await log.undelivered(new.session_id)) == [(1, "hello")]
    await log.delivered(new, [1])
    assert await log.undelivered(new.session_id) == []
