"""Messages reach the room, and what is said and written there reaches the log."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from livekit import api, rtc

from sessions.session import Session
from store.sessions.log.session_log import LogEntry, SessionLog
from store.sessions.log.session_messages import NewMessage
from tests.integration.worker.studio import Studio
from tests.support.running.engine import Engine
from worker.clock.session_clock import SessionClock
from worker.lease.live_run import LiveRun
from worker.room.events import TRANSCRIPTION, HeardText, TextOpened
from worker.run import text_allowance
from worker.run.room_messages import RoomMessages


def token(studio: Studio, room: str, identity: str, kind: api.AccessToken.ParticipantKind = "standard") -> str:
    """A participant's token."""
    minted = api.AccessToken(studio.livekit.api_key, studio.livekit.api_secret).with_identity(identity)
    minted = minted.with_name(identity.title()).with_kind(kind)
    return str(minted.with_grants(api.VideoGrants(room_join=True, room=room)).to_jwt())


class Chatter:
    """A participant who notes what is written on lk.chat."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.heard: asyncio.Queue[tuple[str, str, str]] = asyncio.Queue()
        self._readers: set[asyncio.Task[None]] = set()
        self.room.register_text_stream_handler("lk.chat", self._on_text)

    def _on_text(self, reader: rtc.TextStreamReader, identity: str) -> None:
        task = asyncio.create_task(self._read(reader, identity))
        self._readers.add(task)

    async def _read(self, reader: rtc.TextStreamReader, identity: str) -> None:
        await self.heard.put((identity, await reader.read_all(), reader.info.stream_id))


async def post(studio: Studio, session: Session, text: str) -> LogEntry:
    posted = await studio.sessions.messages.post(
        studio.organization_id, session.id, NewMessage("user", text), render=lambda _: (201, b"")
    )
    entry: LogEntry = posted.entry
    return entry


async def log(studio: Studio, session: Session, count: int) -> list[LogEntry]:
    """The log, once it has so many entries."""
    for _ in range(400):
        entries, _ = await studio.sessions.log.page(studio.organization_id, session.id, limit=100)
        if len(entries) >= count:
            break
        await asyncio.sleep(0.05)
    assert len(entries) == count, entries
    return list(entries)


async def segment(room: rtc.Room, text: str, segment_id: str, final: bool, sender: str | None = None) -> None:
    """A transcription as livekit-agents publishes it."""
    writer = await room.local_participant.stream_text(
        topic="lk.transcription",
        sender_identity=sender,
        attributes={"lk.segment_id": segment_id, "lk.transcription_final": str(final).lower()},
    )
    await writer.write(text)
    await writer.aclose()


async def test_posted_messages_reach_the_room_also_those_that_waited(studio: Studio, room: str) -> None:
    """Posted in the queue: sent when it runs; posted while it runs: at once; paused: after the resume."""
    session = await studio.create(room, token=token(studio, room, "worker"))  # one whom others see
    chatter = Chatter()
    await chatter.room.connect(studio.livekit.url, token(studio, room, "ann"))
    waiting = await post(studio, session, "early")
    async with studio.recorder():
        async with asyncio.timeout(20):
            assert (await chatter.heard.get())[:2] == ("worker", "early")
            await post(studio, session, "now " + "x" * 20_000)
            assert (await chatter.heard.get())[1] == "now " + "x" * 20_000
            await studio.sessions.commands.pause(studio.organization_id, session.id)
            late = await post(studio, session, "later")
            await asyncio.sleep(1)
            assert chatter.heard.empty()
            await studio.sessions.commands.resume(studio.organization_id, session.id)
            assert (await chatter.heard.get())[1] == "later"
        entries = await log(studio, session, 3)
        for _ in range(100):
            entries = await log(studio, session, 3)
            if all(entry.delivered_at for entry in entries):
                break
            await asyncio.sleep(0.05)
        await studio.sessions.commands.cancel(studio.organization_id, session.id)
        await studio.sealed(session)
    await chatter.room.disconnect()
    assert [entry.delivered_at is not None for entry in entries] == [True] * 3
    assert (entries[0].id, entries[2].id) == (waiting.id, late.id)


async def test_chat_and_final_transcriptions_come_back_with_role_and_identity(studio: Studio, room: str) -> None:
    """A segment counts once, by its id; interim states don't."""
    session = await studio.create(room)
    ann, agent = rtc.Room(), rtc.Room()
    await ann.connect(studio.livekit.url, token(studio, room, "ann"))
    await agent.connect(studio.livekit.url, token(studio, room, "helper", "agent"))
    async with studio.recorder():
        await studio.reaches(session, "running")
        await ann.local_participant.send_text("Hello, is this on?", topic="lk.chat")
        await log(studio, session, 1)
        await segment(agent, "I would", "s1", final=False, sender="ann")
        await segment(agent, "I would like tea.", "s1", final=True, sender="ann")
        await log(studio, session, 2)
        await segment(agent, "I would like tea.", "s1", final=True, sender="ann")
        await segment(agent, "Tea it is.", "s2", final=True)
        entries = await log(studio, session, 3)
        after = await studio.get(session)
        await studio.sessions.commands.cancel(studio.organization_id, session.id)
        await studio.sealed(session)
    for one in (ann, agent):
        await one.disconnect()
    assert [(entry.kind, entry.role, entry.identity, entry.text, entry.source) for entry in entries] == [
        ("message", "user", "ann", "Hello, is this on?", "lk.chat"),
        ("segment", "user", "ann", "I would like tea.", "lk.transcription"),
        ("segment", "assistant", "helper", "Tea it is.", "lk.transcription"),
    ]
    assert entries[0].speaker == "Ann"
    for entry in entries:
        assert entry.start_ms is not None
        assert entry.end_ms is not None
        assert 0 <= entry.start_ms <= entry.end_ms
    assert (after.message_count, after.preview, after.output_preview) == (1, "Hello, is this on?", "Tea it is.")


async def test_what_is_written_or_said_in_a_pause_is_not_logged(studio: Studio, room: str) -> None:
    """Also a transcription that began before the pause, or ends after it; afterwards everything is as before."""
    session = await studio.create(room)
    agent = rtc.Room()
    await agent.connect(studio.livekit.url, token(studio, room, "helper", "agent"))

    async def opened(segment_id: str) -> rtc.TextStreamWriter:
        return await agent.local_participant.stream_text(
            topic="lk.transcription",
            attributes={"lk.segment_id": segment_id, "lk.transcription_final": "true"},
        )

    async with studio.recorder():
        await studio.reaches(session, "running")
        before = await opened("s1")
        await before.write("My card ")
        await asyncio.sleep(0.3)
        await studio.sessions.commands.pause(studio.organization_id, session.id)
        await asyncio.sleep(0.3)
        await before.write("number is 4111.")
        await before.aclose()
        after = await opened("s2")
        await after.write("Its date ")
        await segment(agent, "The code is 123.", "s3", final=True)
        await agent.local_participant.send_text("4111 1111", topic="lk.chat")
        await asyncio.sleep(0.5)
        await studio.sessions.commands.resume(studio.organization_id, session.id)
        await after.write("is 12/29.")
        await after.aclose()
        await asyncio.sleep(0.5)
        await segment(agent, "Thank you.", "s4", final=True)
        entries = await log(studio, session, 1)
        await asyncio.sleep(0.5)
        entries = await log(studio, session, 1)
        shown = await studio.get(session)
        await studio.sessions.commands.cancel(studio.organization_id, session.id)
        await studio.sealed(session)
    await agent.disconnect()
    assert [entry.text for entry in entries] == ["Thank you."]
    assert (shown.output_preview, shown.message_count) == ("Thank you.", 0)


def opened(read: Callable[[], Awaitable[HeardText]], close: Callable[[], None] = lambda: None) -> TextOpened:
    """A text stream that an agent has begun."""
    return TextOpened(TRANSCRIPTION, "helper", None, True, read, close)


@asynccontextmanager
async def room_messages(database_url: str) -> AsyncIterator[tuple[Engine, RoomMessages]]:
    """Those of a run whose room nobody needs."""
    async with Engine.open(database_url) as engine:
        fence = await engine.running()
        started_at = (await engine.session(fence.session_id)).started_at
        assert started_at is not None
        pair = await engine.db.clock()
        run = LiveRun(fence, claimed_ns=pair.boottime_ns, stalled_seconds=15)
        clock = SessionClock(started_at, pair)
        yield engine, RoomMessages(run, SessionLog(engine.db), clock)


async def test_texts_that_begin_in_one_instant_keep_the_order_of_their_beginnings(database_url: str) -> None:
    """Taken from the room in one go; the second one is whole first."""
    async with room_messages(database_url) as (engine, messages):
        second_is_logged = asyncio.Event()

        async def first() -> HeardText:
            await second_is_logged.wait()
            return HeardText("First this.", "s1", final=True)

        async def second() -> HeardText:
            return HeardText("And then this.", "s2", final=True)

        async with asyncio.TaskGroup() as group:
            group.create_task(messages.hear(opened(first)))
            await group.create_task(messages.hear(opened(second)))
            second_is_logged.set()
        entries = await engine.sql("SELECT text FROM log_entries ORDER BY start_ms, seq")  # as a transcript has them
    assert [entry.text for entry in entries] == ["First this.", "And then this."]


async def test_a_flood_of_texts_is_bounded_and_takes_one_connection(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """256 are read and logged, one after the other, the others closed unread; afterwards others are, within bounds."""
    append = SessionLog.append_heard
    at_once: list[int] = []
    under_way = 0

    async def counted(log: SessionLog, *arguments: Any) -> Any:
        nonlocal under_way
        under_way += 1
        at_once.append(under_way)
        try:
            return await append(log, *arguments)
        finally:
            under_way -= 1

    monkeypatch.setattr(SessionLog, "append_heard", counted)
    async with room_messages(database_url) as (engine, messages):
        whole = asyncio.Event()
        closed: list[int] = []

        def text(number: int, words: str = "spam") -> TextOpened:
            async def read() -> HeardText:
                await whole.wait()
                return HeardText(words, f"s{number}", final=True)

            return opened(read, lambda: closed.append(number))

        async with asyncio.TaskGroup() as group:
            for number in range(300):
                group.create_task(messages.hear(text(number)))
            await asyncio.sleep(0)
            whole.set()
        monkeypatch.setattr(text_allowance, "MOST_CHARACTERS", 257 * text_allowance.LEAST_CHARACTERS)
        for number, words in ((300, "too long" * 100), (301, "short"), (302, "one too many")):
            await messages.hear(text(number, words))
        [logged] = await engine.sql("SELECT count(*) AS texts FROM log_entries")
    assert (logged.texts, closed) == (257, [*range(256, 300), 302])
    assert set(at_once) == {1}
