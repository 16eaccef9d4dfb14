"""The worker's room object in bad weather that the server simulates: the session goes on, and gaps are true ones."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from livekit import api, rtc
from pydantic import SecretStr
from sqlalchemy import text

from sessions.destinations.worker_token import read_worker_token
from tests.integration.worker.studio import Studio, seconds_between
from tests.support.rules.holes import holes
from tests.support.running.stack import eventually
from tests.support.samples.segments import absences_of, pcm_of, stretches_of
from tests.support.talkers.slots import SAMPLE_RATE, SLOT_SECONDS, Sent, SlotTalker, SlotVoice, compare

VOICE = SlotVoice(0)
SCENARIOS = rtc.SimulateScenarioKind


@dataclass(frozen=True, slots=True)
class Weather:
    """What a scenario does to us.

    Attributes:
        seconds: from the scenario to the end of the session.
        joins: how often the worker joined.
        gaps: the codes that may be declared; nothing else is lost.
        lost_seconds: of speech, at most.
        unnamed_seconds: of that, in what is too short to be named (35 ms), in a process that does everything.
    """

    seconds: float
    joins: int
    gaps: frozenset[str]
    lost_seconds: float
    unnamed_seconds: float = 0.1


CALM = Weather(5, joins=1, gaps=frozenset(), lost_seconds=0.1)
SHORT = Weather(8, joins=1, gaps=frozenset({"gap.rejoin"}), lost_seconds=3)
CUT_OFF = Weather(30, joins=1, gaps=frozenset({"gap.rejoin"}), lost_seconds=30)
WEATHER: dict[str, Weather] = {
    "SIMULATE_SIGNAL_RECONNECT": CALM,
    "SIMULATE_SPEAKER": CALM,
    "SIMULATE_FULL_RECONNECT": SHORT,
    "SIMULATE_NODE_FAILURE": SHORT,
    "SIMULATE_MIGRATION": SHORT,
    "SIMULATE_DISCONNECT_SIGNAL_ON_RESUME": SHORT,
    "SIMULATE_SERVER_LEAVE": Weather(8, joins=2, gaps=frozenset({"gap.rejoin"}), lost_seconds=3),
    # The server has neither TCP nor TURN: we leave after ten seconds and join again, which helps against the one.
    "SIMULATE_FORCE_TCP": Weather(30, joins=2, gaps=frozenset({"gap.rejoin"}), lost_seconds=20),
    "SIMULATE_FORCE_TLS": CUT_OFF,
}
QUICK = ("SIMULATE_SIGNAL_RECONNECT", "SIMULATE_FULL_RECONNECT", "SIMULATE_SERVER_LEAVE")  # one of each kind


@pytest.mark.parametrize(
    "scenario",
    [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.long]) for name in WEATHER],
)
async def test_what_a_simulated_scenario_takes_is_named_and_soon_over(
    studio: Studio, room: str, rooms: list[rtc.Room], scenario: str
) -> None:
    """Each on a room of its own: the session goes on, what was lost has a name, and no gap is false."""
    weather = WEATHER[scenario]
    session = await studio.create(room)
    async with studio.recorder(), SlotTalker(studio.livekit.url, studio.token(room, "ann"), VOICE) as ann:
        await studio.reaches(session, "running")
        await asyncio.sleep(4)
        await rooms[0].simulate_scenario(SCENARIOS.Value(scenario))
        await asyncio.sleep(weather.seconds)
        assert (await studio.get(session)).status == "running"
        await studio.sessions.commands.end(studio.organization_id, session.id)
        await studio.sealed(session)
    ended, segments = await studio.get(session), await studio.segments(session)
    assert absences_of(segments) == [], "ann was there all the time"
    gaps = stretches_of(segments)
    assert ended.started_at is not None
    started = ended.started_at.timestamp()
    samples = np.zeros(round(seconds_between(ended.started_at, ended.ending_at) * SAMPLE_RATE), np.int16)
    recorded = pcm_of(segments)[: len(samples)]
    samples[: len(recorded)] = recorded
    sent = [Sent(slot.number, slot.at - started) for slot in ann.sent]
    truth = compare(samples, VOICE, sent, gaps, ann.torn, identity="ann")
    assert truth.false == [], (truth, gaps)
    assert len(truth.undeclared) * SLOT_SECONDS <= weather.unnamed_seconds, (truth, gaps)
    assert (len(rooms), ended.epoch) == (weather.joins, 1)
    assert {gap["code"] for gap in holes(gaps)} <= weather.gaps
    assert truth.lost * SLOT_SECONDS <= weather.lost_seconds, (truth, gaps)
    assert truth.heard >= 30, "the talker was heard"


def test_every_scenario_has_its_weather() -> None:
    """A scenario that a new SDK brings is to be tried, too."""
    assert set(WEATHER) == set(SCENARIOS.keys())


@pytest.mark.long
async def test_a_server_that_forces_what_it_does_not_have_ends_the_session(
    studio: Studio, room: str, rooms: list[rtc.Room]
) -> None:
    """TLS, without a TURN server. It holds on to that for five minutes whoever joins with the identity, so our joining
    again is in vain. All is a gap from the last packet to the end, and what was billed of it, five seconds until the
    doubt was too great, is given back with the gap."""
    session = await studio.create(room)
    recorder = studio.recorder(unproven_connection_seconds=5.0, rejoin_seconds=20.0)
    async with recorder, SlotTalker(studio.livekit.url, studio.token(room, "ann"), VOICE) as ann:
        await studio.reaches(session, "running")
        await asyncio.sleep(4)
        forced_at = time.time()
        await rooms[0].simulate_scenario(SCENARIOS.SIMULATE_FORCE_TLS)
        ending = await studio.reaches(session, "ending", "failed", seconds=60)
        await studio.sealed(session)
    assert ending.error_code == "room.unreachable"
    assert ending.started_at is not None
    forced_ms = (forced_at - ending.started_at.timestamp()) * 1000
    ended_ms = seconds_between(ending.started_at, ending.ending_at) * 1000
    gaps = stretches_of(await studio.segments(session))
    assert {gap["code"] for gap in gaps} == {"gap.rejoin"}, gaps
    assert all(later["start_ms"] - one["end_ms"] <= 1 for one, later in pairwise(gaps)), "they touch"
    assert gaps[0]["start_ms"] == pytest.approx(forced_ms, abs=1500), "the server is quick to act"
    assert gaps[-1]["end_ms"] == pytest.approx(ended_ms, abs=300)
    async with studio.db.begin() as conn:
        billed = text("SELECT billable_ms FROM runs WHERE session_id = :id")
        billed_ms = (await conn.execute(billed, {"id": session.id})).scalar_one()
    assert billed_ms <= gaps[0]["start_ms"] + 6000
    assert len(ann.sent) * SLOT_SECONDS > 20, "she talked on"


async def test_a_rejoin_uses_the_token_that_the_customer_has_put_meanwhile(
    studio: Studio, room: str, rooms: list[rtc.Room]
) -> None:
    """Not the first one, and not the one that the server had refreshed from it."""
    session = await studio.create(room)
    put = (
        api.AccessToken(studio.livekit.api_key, studio.livekit.api_secret)
        .with_identity("worker")
        .with_name("the second token")
        .with_grants(api.VideoGrants(room_join=True, room=room))
        .to_jwt()
    )
    async with studio.recorder():
        await studio.reaches(session, "running")
        await asyncio.sleep(1)
        claims = read_worker_token(SecretStr(put), now=datetime.now(UTC), room_name=room)
        await studio.sessions.commands.replace_token(studio.organization_id, session.id, SecretStr(put), claims)
        await rooms[0].simulate_scenario(SCENARIOS.SIMULATE_SERVER_LEAVE)

        async def rejoined() -> bool:
            return len(rooms) == 2

        await eventually(rejoined)
        assert rooms[1].local_participant.name == "the second token"
        assert (await studio.get(session)).status == "running"
        await studio.sessions.commands.end(studio.organization_id, session.id)
        await studio.sealed(session)
