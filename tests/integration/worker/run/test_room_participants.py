"""Who comes into the room and leaves it is told, once, whatever becomes of the worker's own connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from livekit import api, rtc
from sqlalchemy import text

from store.database.boot_clock import boottime_ns
from store.runs.participant_events import Participant, ParticipantEvents
from tests.integration.worker.studio import Studio, until
from tests.support.running.engine import Engine
from worker.clock.session_clock import SessionClock
from worker.lease.live_run import LiveRun
from worker.room.events import ParticipantJoined, ParticipantLeft, Reconnecting
from worker.run import room_participants
from worker.run.room_participants import RoomParticipants

ANN = Participant("PA_ann", "ann", "Ann", "standard")
BOB = Participant("PA_bob", "bob", "Bob", "agent")
TOLD = """
    SELECT type, data->>'identity' AS identity, data->>'name' AS name, data->>'kind' AS kind
    FROM session_events WHERE type LIKE 'participant.%' ORDER BY seq
"""


async def test_who_is_there_and_who_comes_and_goes(studio: Studio, room: str) -> None:
    """With a real room: identity, name and kind as the room knows them."""
    session = await studio.create(room)
    ann, bob = rtc.Room(), rtc.Room()
    await ann.connect(studio.livekit.url, token(studio, room, "ann\0", "standard"))
    async with studio.recorder():
        await until(lambda: told(studio, 1), seconds=60)
        await bob.connect(studio.livekit.url, token(studio, room, "bob", "agent"))
        await until(lambda: told(studio, 2), seconds=60)
        await bob.disconnect()
        events = await until(lambda: told(studio, 3), seconds=60)
        await studio.sessions.commands.cancel(studio.organization_id, session.id)
        await studio.sealed(session)
    await ann.disconnect()
    assert [tuple(event) for event in events] == [
        ("participant.joined", "ann\ufffd", "Ann\ufffd", "standard"),
        ("participant.joined", "bob", "Bob", "agent"),
        ("participant.left", "bob", "Bob", "agent"),
    ]


async def test_the_worker_s_own_way_back_is_told_of_nobody(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK lets all leave and come back with the same sids; who is gone after that has left."""
    monkeypatch.setattr(room_participants, "_PAUSE_SECONDS", 0.05)
    async with telling(engine) as (participants, _):
        participants.entered([ANN, BOB], boottime_ns())
        await until(lambda: told(engine, 2))
        participants.take(ParticipantLeft(ANN), boottime_ns())
        participants.take(ParticipantLeft(BOB), boottime_ns())
        participants.take(Reconnecting(), boottime_ns())
        await asyncio.sleep(0.2)
        participants.take(ParticipantJoined(ANN), boottime_ns())
        participants.entered([ANN], boottime_ns())
        events = await until(lambda: told(engine, 3))
    assert [(event.type.partition(".")[2], event.identity) for event in events] == [
        ("joined", "ann"),
        ("joined", "bob"),
        ("left", "bob"),
    ]


async def test_a_successor_tells_who_left_meanwhile(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left to say at the end is said then, without a pause."""
    monkeypatch.setattr(room_participants, "_PAUSE_SECONDS", 60)
    async with telling(engine) as (participants, session_id):
        participants.entered([ANN, BOB], boottime_ns())
        participants.end()
        await until(lambda: told(engine, 2))
    await engine.sql("UPDATE runs SET beat_at = now() - interval '1 hour'")
    async with telling(engine, session_id) as (participants, _):
        participants.entered([BOB], boottime_ns())
        participants.end()
        events = await until(lambda: told(engine, 3))
    assert (events[-1].type, events[-1].identity) == ("participant.left", "ann")


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    """The store around one run."""
    async with Engine.open(database_url) as engine:
        yield engine


@asynccontextmanager
async def telling(engine: Engine, session_id: UUID | None = None) -> AsyncIterator[tuple[RoomParticipants, UUID]]:
    """A run's side at work; with a session, its successor's."""
    fence = await engine.running() if session_id is None else await engine.takeover(session_id)
    started_at = (await engine.session(fence.session_id)).started_at
    assert started_at is not None
    pair = await engine.db.clock()
    run = LiveRun(fence, claimed_ns=pair.boottime_ns, stalled_seconds=15)
    events = ParticipantEvents(engine.db, 100)
    participants = RoomParticipants(run, events, SessionClock(started_at, pair), resumed=session_id is not None)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(participants.tell())
        yield participants, fence.session_id
        participants.end()
        await task


async def told(store: Studio | Engine, count: int) -> list[Any]:
    """All such events, once there are so many."""
    async with store.db.begin() as conn:
        rows = list((await conn.execute(text(TOLD))).all())
    return rows if len(rows) >= count else []


def token(studio: Studio, room: str, identity: str, kind: api.AccessToken.ParticipantKind) -> str:
    """A participant's."""
    minted = api.AccessToken(studio.livekit.api_key, studio.livekit.api_secret).with_identity(identity)
    minted = minted.with_name(identity.title()).with_kind(kind)
    return str(minted.with_grants(api.VideoGrants(room_join=True, room=room)).to_jwt())
