"""What leaves the log: events that are old, and the content of sessions that were erased."""

from uuid import UUID

import pytest

from sessions.errors import ParleyError
from sessions.lifecycle.stop import Stop
from sessions.settings import Settings
from store.database.database import Database
from store.events.appending import append_event
from store.events.organization_events import OrganizationEvents
from store.lifecycle import events
from store.objects.objects import Objects
from store.outputs.summaries import Summaries
from store.outputs.transcripts import Closing, Transcripts
from store.sessions.erasure import SessionErasure
from store.sessions.log.session_log import NewLogEntry, SessionLog
from store.sweeping.sweeper import sweep
from tests.support.running.engine import PRODUCT, Engine

ORGANIZATION = UUID(int=1)


async def append(engine: Engine, count: int, organization_id: UUID = ORGANIZATION) -> None:
    """So many events about nothing."""
    async with engine.db.begin() as conn:
        for _ in range(count):
            await append_event(conn, organization_id, "worker_token.replaced", facts={})


async def test_old_events_go_and_their_readers_hear_of_it(engine: Engine) -> None:
    """Who has read what went misses nothing, and goes on; who has not is told."""
    log = OrganizationEvents(engine.db)
    await append(engine, 3)
    first, second, third = (await log.after(ORGANIZATION, None)).events
    beginning = await log.newest_cursor(UUID(int=2))
    await engine.sql("UPDATE events SET recorded_at = now() - interval '31 days' WHERE position <= 2")

    assert (await sweep(engine.db, Settings(event_retention_days=30))).events_expired == 2

    assert (third,) == (await log.after(ORGANIZATION, None)).events
    assert (third,) == (await log.after(ORGANIZATION, second.cursor)).events
    for cursor in (first.cursor, beginning):
        with pytest.raises(ParleyError) as caught:
            await log.after(ORGANIZATION, cursor)
        assert caught.value.code == "cursor.expired"
    await engine.sql("UPDATE events SET recorded_at = now() - interval '31 days'")
    assert (await sweep(engine.db, Settings(event_retention_days=30))).events_expired == 1
    newest = await log.newest_cursor(ORGANIZATION)
    await append(engine, 1)
    assert len((await log.after(ORGANIZATION, newest)).events) == 1


async def test_what_expires_while_a_page_is_read_is_not_skipped(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader at the oldest events, whose next ones go in the middle of reading, hears that they are gone."""
    log = OrganizationEvents(engine.db)
    await append(engine, 3)
    beginning = (await log.after(ORGANIZATION, None, limit=1)).cursor

    async def expire_instead(db: Database) -> int:
        await engine.sql("UPDATE events SET recorded_at = now() - interval '31 days' WHERE position <= 2")
        await sweep(db, Settings(event_retention_days=30))
        return 0

    monkeypatch.setattr("store.events.organization_events.number_events", expire_instead)
    await append(engine, 1)

    with pytest.raises(ParleyError) as caught:
        await log.after(ORGANIZATION, beginning)
    assert caught.value.code == "cursor.expired"


async def test_the_log_outlives_an_erased_session_without_its_content(engine: Engine, local: Objects) -> None:
    """Numbered or not yet; metadata and the words of an error are gone, the ids stay."""
    log = OrganizationEvents(engine.db)
    session_id = await engine.new_session("failed", metadata='{"who": "Jane Roe"}', error_message="Jane Roe hung up")
    other = await engine.new_session("queued", metadata='{"who": "John Doe"}')
    async with engine.db.begin() as conn:
        for kept in (session_id, other):
            await events.append(conn, kept, "session.updated", epoch=0, data={"fields": ["metadata"]})
    await log.newest_cursor(ORGANIZATION)
    async with engine.db.begin() as conn:
        await events.append(conn, session_id, "session.updated", epoch=0, data={"fields": ["title"]})

    await SessionErasure(engine.db, local).erase(ORGANIZATION, session_id)

    found = (await log.after(ORGANIZATION, None, session_id=session_id)).events
    assert [event.type for event in found] == ["session.updated", "session.updated", "session.deleted"]
    assert [event.seq for event in found] == [1, 2, 3]
    assert all(event.to_json(content=True)["data"]["session"]["metadata"] == {} for event in found)
    assert found[-1].to_json(content=False)["data"]["reason"] == "requested"
    assert not await engine.sql("SELECT FROM events WHERE CAST(events AS text) LIKE '%Jane%'")
    [spared] = (await log.after(ORGANIZATION, None, session_id=other)).events
    assert spared.to_json(content=True)["data"]["session"]["metadata"] == {"who": "John Doe"}


async def test_a_messages_words_are_content(engine: Engine, local: Objects) -> None:
    """In the log alone, for those who may read them, until the session is erased."""
    log = OrganizationEvents(engine.db)
    session_id = await engine.new_session("canceled")
    entry = NewLogEntry(kind="message", role="user", text="Call me at noon", source="api")
    await SessionLog(engine.db).append(session_id, [entry])

    [event] = (await log.after(ORGANIZATION, None)).events
    assert (event.type, event.to_json(content=True)["data"]["text"]) == ("message.created", "Call me at noon")
    assert event.to_json(content=False)["data"]["text"] is None
    assert not await engine.sql("SELECT FROM session_events WHERE CAST(session_events AS text) LIKE '%noon%'")

    await SessionErasure(engine.db, local).erase(ORGANIZATION, session_id)

    assert (await log.after(ORGANIZATION, None)).events[0].to_json(content=True)["data"]["text"] is None


async def test_the_end_tells_of_the_bill_and_the_outputs(engine: Engine) -> None:
    """What was billed, the recording, the transcript and the summary."""
    fence = await engine.running()
    await engine.pass_seconds(4)
    await engine.beat(fence)
    await engine.runs.enter_ending(fence, Stop.ended("end.requested"))
    await engine.runs.seal(fence)
    await engine.frozen(fence.session_id)
    assert await engine.freezes.commit(fence.session_id, fence.epoch, PRODUCT)
    summaries = Summaries(engine.db)
    run = await summaries.request(fence.session_id, again=False)
    assert run is not None
    closing = Closing(code="speech.deadline", message="late")
    assert await Transcripts(engine.db).close(fence.session_id, closing, "key")
    assert await summaries.finish(fence.session_id, run.run_id, "00", "key")

    events = (await OrganizationEvents(engine.db).after(ORGANIZATION, None)).events
    told = {event.type: event.to_json(content=False)["data"] for event in events}
    outputs = ["usage.finalized", "recording.available", "session.ended", "transcript.incomplete", "summary.available"]
    assert outputs == [event.type for event in events[-5:]]
    assert told["transcript.incomplete"]["code"] == "speech.deadline"
    [row] = await engine.bill(fence.session_id)
    assert format(row.credits, ".3f") == told["usage.finalized"]["credits"]
    assert row.milliseconds == told["usage.finalized"]["billable_ms"]
