"""`parley demo talkers` in a real room."""

import asyncio
import os
from asyncio.subprocess import PIPE

import numpy as np
import pytest
from pydantic import SecretStr

from parley.demo.script import TALKERS, turns
from parley.servers.livekit_server import LiveKitServer
from tests.support.running.stack import PARLEY
from tests.support.talkers.beeps import mint_token
from worker.room.events import AudioSubscribed
from worker.room.livekit.joining import connect_room
from worker.room.subscription import Subscription

_AUDIBLE = 1000
_SECONDS = turns()[1].at_ms // 1000 + 2  # both have begun
_LATE_SECONDS = 20


def _environment(livekit: LiveKitServer, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PARLEY_", "LIVEKIT_"))}
    access = {"LIVEKIT_API_KEY": livekit.api_key, "LIVEKIT_API_SECRET": livekit.api_secret}
    return {**kept, "LIVEKIT_URL": livekit.url, **access, **more}


async def test_two_talkers_are_heard_and_leave(livekit: LiveKitServer) -> None:
    """Whoever is in the room hears both, as a worker would; after so many seconds they are gone."""
    token = mint_token(livekit.api_key, livekit.api_secret, "talkers", "listener")
    room = await connect_room(livekit.url, SecretStr(token), Subscription(with_join=True))
    loudest = dict.fromkeys(TALKERS, 0)
    called = set()

    async def listen(sid: str, identity: str) -> None:
        def hear(_arrival_ns: int, pcm: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> None:
            loudest[identity] = max(loudest[identity], int(np.abs(pcm.astype(np.int32)).max()))

        await room.read_frames(sid, hear)

    try:
        room.listen()
        argv = [str(PARLEY), "demo", "talkers", "--room", "talkers", "--seconds", str(_SECONDS)]
        command = await asyncio.create_subprocess_exec(*argv, env=_environment(livekit), stdout=PIPE, stderr=PIPE)
        async with asyncio.timeout(_SECONDS + _LATE_SECONDS), asyncio.TaskGroup() as group:
            ran = group.create_task(command.communicate())
            reading = []
            while not ran.done():
                for event in room.events.drain():
                    if isinstance(event, AudioSubscribed):
                        called.add(event.track.speaker)
                        reading.append(group.create_task(listen(event.track.sid, event.track.identity)))
                await asyncio.sleep(0.05)
            for task in reading:
                task.cancel()
    finally:
        await room.leave()

    out, err = ran.result()
    assert (command.returncode, err.decode()) == (0, "")
    assert out.decode().splitlines() == [f"alice and bob talk in the room 'talkers' for {_SECONDS} s", "they have left"]
    assert called == {"Alice", "Bob"}
    assert all(level > _AUDIBLE for level in loudest.values()), loudest


@pytest.mark.parametrize(
    ("variables", "told", "exit_code"),
    [
        ({"LIVEKIT_URL": ""}, "say where the room is", 2),
        ({"LIVEKIT_API_SECRET": ""}, "the talkers need tokens for the room", 2),
        ({"LIVEKIT_API_SECRET": "x" * 40}, "alice and bob could not join the room 'talkers'", 1),
    ],
)
async def test_what_keeps_them_out_is_said_in_a_line(
    livekit: LiveKitServer, variables: dict[str, str], told: str, exit_code: int
) -> None:
    """And no token is in it."""
    command = await asyncio.create_subprocess_exec(
        *(str(PARLEY), "demo", "talkers", "--room", "talkers"),
        env=_environment(livekit, **variables),
        stdout=PIPE,
        stderr=PIPE,
    )
    async with asyncio.timeout(_LATE_SECONDS):
        out, err = await command.communicate()
    assert (command.returncode, out) == (exit_code, b"")
    [line] = err.decode().splitlines()
    assert line.startswith(f"parley: {told}")
    assert "eyJ" not in line
