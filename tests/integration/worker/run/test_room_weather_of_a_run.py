"""The worker's room object in bad weather that the server simulates: the session goes on, and gaps are true ones."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from livekit import api, rtc
from pydantic import SecretStr

from sessions.worker_token import read_worker_token
from tests.integration.worker.studio import Studio, seconds_between
from tests.support.beeps import BeepPlan, BeepTalker, check_beeps
from tests.support.segments import absences_of, gaps_of, pcm_of
from tests.support.stack import eventually

PLAN = BeepPlan(700.0)
SCENARIOS = rtc.SimulateScenarioKind


async def _recorded_through(
    studio: Studio, room: str, rooms: list[rtc.Room], scenario: rtc.SimulateScenarioKind.ValueType
) -> tuple[Any, list[tuple[str, bytes]]]:
    session = await studio.create(room)
    async with studio.recorder(), BeepTalker(studio.livekit.url, studio.token(room, "ann"), PLAN):
        await studio.reaches(session, "running")
        await asyncio.sleep(4)
        await rooms[0].simulate_scenario(scenario)
        await asyncio.sleep(8)
        assert (await studio.get(session)).status == "running"
        await studio.sessions.commands.end(studio.organization_id, session.id)
        await studio.sealed(session)
    segments = await studio.segments(session)
    assert absences_of(segments) == [], "ann was there all the time"
    return await studio.get(session), segments


async def test_a_server_that_sends_us_away_is_joined_again(studio: Studio, room: str, rooms: list[rtc.Room]) -> None:
    """SERVER_LEAVE, which the SDK never retries: we do, and the hole has a name."""
    session, segments = await _recorded_through(studio, room, rooms, SCENARIOS.SIMULATE_SERVER_LEAVE)
    seconds = seconds_between(session.started_at, session.ending_at)
    assert (len(rooms), session.epoch) == (2, 1)
    assert gaps_of(segments) == ["gap.rejoin"]
    assert len(check_beeps(pcm_of(segments), PLAN, 1, seconds - 0.5).onsets) >= seconds - 4


async def test_a_lost_signal_connection_costs_no_audio(studio: Studio, room: str, rooms: list[rtc.Room]) -> None:
    """SIGNAL_RECONNECT: the SDK resumes, media flowed all the time, and nothing is called a gap."""
    session, segments = await _recorded_through(studio, room, rooms, SCENARIOS.SIMULATE_SIGNAL_RECONNECT)
    seconds = seconds_between(session.started_at, session.ending_at)
    assert (len(rooms), session.epoch) == (1, 1)
    assert gaps_of(segments) == []
    assert check_beeps(pcm_of(segments), PLAN, 1, seconds - 1).presence >= 0.99


@pytest.mark.parametrize("scenario", [SCENARIOS.SIMULATE_FULL_RECONNECT, SCENARIOS.SIMULATE_NODE_FAILURE])
async def test_a_full_reconnect_goes_on_with_new_tracks(
    studio: Studio, room: str, rooms: list[rtc.Room], scenario: rtc.SimulateScenarioKind.ValueType
) -> None:
    """The SDK joins anew by itself: everybody is subscribed again, and what was lost has a name."""
    session, segments = await _recorded_through(studio, room, rooms, scenario)
    seconds = seconds_between(session.started_at, session.ending_at)
    assert session.epoch == 1
    assert set(gaps_of(segments)) == {"gap.rejoin"}
    assert len(check_beeps(pcm_of(segments), PLAN, seconds - 4.5, seconds - 0.5).onsets) >= 3


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
