"""Sessions one after the other: whether memory, descriptors and threads of our processes grow with their number.

Recorder processes retire on the way, as they do in the long run; what is told is all of a worker's together.
"""

import asyncio
from contextlib import AsyncExitStack

from tests.support.beeps import mint_token
from tests.support.slots import SlotTalker, SlotVoice
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
    created = [(await scene.stack.create(f"growth-{number}"))["id"] for number in range(_ROOMS)]
    for name in created:
        await scene.stack.reach(name, "running", seconds=_END_SECONDS)
    await asyncio.sleep(_RECORDED_SECONDS)
    for name in created:
        status, answer = await scene.stack.call("POST", f"/v1/sessions/{name}/end")
        assert status == 200, answer
    for name in created:
        await scene.stack.reach(name, "ended", seconds=_END_SECONDS)
