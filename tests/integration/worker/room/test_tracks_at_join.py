"""Which tracks were in the room before the worker: a takeover has cost them something, and newcomers nothing."""

import pytest
from livekit import api as livekit_api
from pydantic import SecretStr

from parley.servers.livekit_server import LiveKitServer
from tests.support.running.stack import eventually
from tests.support.talkers.beeps import mint_token
from tests.support.talkers.slots import SlotTalker, SlotVoice
from worker.room.events import AudioPublished, AudioSubscribed
from worker.room.livekit.joining import connect_room
from worker.room.subscription import Subscription


@pytest.mark.parametrize("with_join", [True, False])
async def test_a_track_that_was_there_at_the_join_is_told_from_one_that_came_later(
    livekit: LiveKitServer, room: str, with_join: bool
) -> None:
    """However its audio is asked for."""

    def token(identity: str) -> str:
        return mint_token(livekit.api_key, livekit.api_secret, room, identity)

    async def is_published() -> bool:
        """A server tells of a track once its first packets have come."""
        found = await server.room.list_participants(livekit_api.ListParticipantsRequest(room=room))
        return any(one.tracks for one in found.participants if one.identity == "ann")

    at_join: dict[tuple[str, str], bool] = {}
    async with SlotTalker(livekit.url, token("ann"), SlotVoice(0)):
        url = livekit.url.replace("ws", "http", 1)
        async with livekit_api.LiveKitAPI(url, livekit.api_key, livekit.api_secret) as server:
            await eventually(is_published)
        heard = await connect_room(livekit.url, SecretStr(token("worker")), Subscription(with_join=with_join))
        heard.listen()

        async def told() -> bool:
            for event in heard.events.drain():
                match event:
                    case AudioPublished(identity=identity):
                        at_join["published", identity] = event.at_join
                    case AudioSubscribed(track=track):
                        at_join["subscribed", track.identity] = track.at_join
            return len(at_join) == 4

        async with SlotTalker(livekit.url, token("bob"), SlotVoice(1)):
            await eventually(told)
        await heard.leave()

    assert at_join == {
        ("published", "ann"): True,
        ("subscribed", "ann"): True,
        ("published", "bob"): False,
        ("subscribed", "bob"): False,
    }
