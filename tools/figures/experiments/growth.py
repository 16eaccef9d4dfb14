"""Sessions one after the other: whether memory, descriptors and threads of our processes grow with their number.

Recorder processes retire on the way, as they do in the long run; what is told is all of a worker's together.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import TypeVar

from tests.support.talkers.beeps import mint_token
from tests.support.talkers.slots import SlotTalker, SlotVoice
from tools.figures.figure import Figure, Goal, Options
from tools.figures.process_growth import Growth
from tools.figures.scene import Scene

_SESSIONS = 200
_LEAST_PER_RECORDER = 40
_RECORDERS = 20  # that retire, of a long run
_ROOMS = 10
_RECORDED_SECONDS = 1.0
_END_SECONDS = 120.0
_TALKER_SECONDS = 4 * 3600.0
_TRIES = 10
_OVER = ("ended", "failed", "canceled")

_Result = TypeVar("_Result")


async def measure(options: Options) -> list[Figure]:
    """N is a number of sessions; ten are recorded at once, each in a room in which somebody talks."""
    sessions = options.n or _SESSIONS
    per_recorder = max(_LEAST_PER_RECORDER, sessions // _RECORDERS)
    async with Scene.open(options) as scene, AsyncExitStack() as rooms:
        worker = await scene.stack.start_worker(PARLEY_SPEECH_ENGINE="none", PARLEY_RECORDER_SESSIONS=str(per_recorder))
        growth = Growth(scene.stack.processes[0], worker)
        server = scene.stack.livekit
        for number in range(_ROOMS):
            token = mint_token(
                server.api_key, server.api_secret, f"growth-{number}", "talker", ttl_seconds=_TALKER_SECONDS
            )
            await rooms.enter_async_context(SlotTalker(server.url, token, SlotVoice(0)))
        for _ in range(-(-sessions // _ROOMS)):
            await _round(scene)
            await asyncio.to_thread(growth.sample)
    most = max(row["recorder: memory, KiB"] for row in growth.rows) / 1024
    what = f"memory of a worker's recorders over {sessions} sessions, {per_recorder} each"
    return [*growth.figures(1000 / _ROOMS, "1000 sessions"), Figure(what, "MB", Goal("max", 200), (most,))]


async def _round(scene: Scene) -> None:
    created = [await _patiently(partial(_create, scene, f"growth-{number}")) for number in range(_ROOMS)]
    for name in created:
        await _patiently(partial(scene.stack.reach, name, "running", *_OVER, seconds=_END_SECONDS))
    await asyncio.sleep(_RECORDED_SECONDS)
    for name in created:
        await _patiently(partial(_end, scene, name))
    for name in created:
        await _patiently(partial(scene.stack.reach, name, *_OVER, seconds=_END_SECONDS))


async def _create(scene: Scene, room: str) -> str:
    return str((await scene.stack.create(room))["id"])


async def _end(scene: Scene, name: str) -> None:
    status, answer = await scene.stack.call("POST", f"/v1/sessions/{name}/end")
    assert status in (200, 409), answer  # it may have failed


async def _patiently(work: Callable[[], Awaitable[_Result]]) -> _Result:
    """Do it again where the stack refuses: on a machine that does other things, too, its database may be late."""
    for _ in range(_TRIES):
        with suppress(AssertionError):
            return await work()
        await asyncio.sleep(1)
    return await work()
