"""Who is somebody: whose presence makes a room one that is paid for."""

import asyncio
from typing import Any

from livekit import api, rtc

from tests.integration.worker.studio import Studio, seconds_between
from tests.support.samples.segments import absences_of

LATE_SECONDS = 3.5  # livekit-server tells of those who publish nothing every 3 s only (measured)
_WAIT_SECONDS = LATE_SECONDS + 0.5


async def _absences(
    studio: Studio, room: str, kind: api.AccessToken.ParticipantKind, **fields: Any
) -> list[tuple[float, float]]:
    """Of a session in whose room a visitor is for a while who publishes nothing; before and afterwards nobody is."""
    session = await studio.create(room, token=studio.token(room, "worker"), **fields)
    visitor = rtc.Room()
    token = (
        api.AccessToken(studio.livekit.api_key, studio.livekit.api_secret)
        .with_identity("visitor")
        .with_kind(kind)
        .with_grants(api.VideoGrants(room_join=True, room=room))
    )
    await studio.reaches(session, "running")
    await asyncio.sleep(1)
    await visitor.connect(studio.livekit.url, token.to_jwt())
    await asyncio.sleep(_WAIT_SECONDS)
    await visitor.disconnect()
    await asyncio.sleep(_WAIT_SECONDS)
    await studio.sessions.commands.end(studio.organization_id, session.id)
    await studio.sealed(session)
    ended = await studio.get(session)
    absences = absences_of(await studio.segments(session))
    assert absences[0][0] == 0
    assert abs(absences[-1][1] - seconds_between(ended.started_at, ended.ending_at)) < 0.001
    return absences


async def test_somebody_is_there_who_could_be_recorded(studio: Studio, room: str) -> None:
    """Each in a room of their own: kind and silence don't matter, but whom the session records does."""
    async with studio.recorder(), asyncio.TaskGroup() as group:
        somebody = [
            group.create_task(_absences(studio, f"{room}-1", "standard")),
            group.create_task(_absences(studio, f"{room}-2", "agent")),
            group.create_task(_absences(studio, f"{room}-3", "standard", audio_source="data_stream")),
            group.create_task(_absences(studio, f"{room}-4", "standard", subscribe_to_identity="visitor")),
        ]
        nobody = [
            group.create_task(_absences(studio, f"{room}-5", "standard", subscribe_to_identity="another")),
            group.create_task(_absences(studio, f"{room}-6", "egress")),
        ]
    for case in somebody:
        [(_, came), (left, _)] = case.result()
        assert abs(left - came - _WAIT_SECONDS) <= LATE_SECONDS
    for case in nobody:
        assert len(case.result()) == 1
