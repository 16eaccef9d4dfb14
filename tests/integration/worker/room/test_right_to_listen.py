"""What a worker knows of its right to subscribe to tracks, which is what proves a refusal."""

from typing import Any

import pytest
from livekit import api as livekit_api
from pydantic import SecretStr

from parley.servers.livekit_server import LiveKitServer
from tests.support.running.stack import eventually
from tests.support.talkers.beeps import mint_token
from worker.room.events import ListeningAllowed
from worker.room.livekit.joining import connect_room
from worker.room.subscription import Subscription


@pytest.mark.parametrize("can_subscribe", [False, True])
async def test_who_joins_without_the_right_to_listen_knows(
    livekit: LiveKitServer, room: str, can_subscribe: bool
) -> None:
    """As a worker that takes over while the room's owner forbids it; nothing has changed, so no callback comes."""
    grants: dict[str, Any] = {"can_subscribe": can_subscribe, "can_publish": False, "hidden": True}
    token = mint_token(livekit.api_key, livekit.api_secret, room, "worker", **grants)
    joined = await connect_room(livekit.url, SecretStr(token), Subscription())
    joined.listen()
    told = [event for event in joined.events.drain() if isinstance(event, ListeningAllowed)]
    assert told == ([] if can_subscribe else [ListeningAllowed(False)])

    async def permit(allowed: bool) -> None:
        url = livekit.url.replace("ws", "http", 1)
        permission = livekit_api.ParticipantPermission(can_subscribe=allowed, hidden=True)
        async with livekit_api.LiveKitAPI(url, livekit.api_key, livekit.api_secret) as owner:
            await owner.room.update_participant(
                livekit_api.UpdateParticipantRequest(room=room, identity="worker", permission=permission)
            )

    async def heard() -> bool:
        told.extend(event for event in joined.events.drain() if isinstance(event, ListeningAllowed))
        return ListeningAllowed(not can_subscribe) in told

    await permit(not can_subscribe)
    await eventually(heard)
    await joined.leave()
