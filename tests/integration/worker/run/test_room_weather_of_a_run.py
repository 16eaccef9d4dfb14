"""The worker's room object in bad weather that the server simulates: the session goes on, and gaps are true ones."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pytest
from livekit import api, rtc
from pydantic import SecretStr

from sessions.worker_token import read_worker_token
from tests.integration.worker.studio import Studio, seconds_between
from tests.support.segments import absences_of, pcm_of, stretches_of
from tests.support.slots import SAMPLE_RATE, SLOT_SECONDS, Sent, SlotTalker, SlotVoice, compare
from tests.support.stack import eventually

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
        unnamed_seconds: of that, in a stretch that is too short to be named (0.2 s), in a process that does everything.
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
    assert {gap["code"] for gap in gaps} <= weather.gaps
    assert truth.lost * SLOT_SECONDS <= weather.lost_seconds, (truth, gaps)
    assert truth.heard >= 30, "the talker was heard"


def test_every_scenario_has_its_weather() -> None:
    """A scenario that a new SDK brings is to be tried, too."""
    assert set(WEATHER) == set(SCENARIOS.keys())


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
