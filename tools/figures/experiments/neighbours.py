"""A session whose process dies again and again, as if it were the session's fault, beside four healthy ones."""

import asyncio
import time

from tests.support.running.recording_process import recorder_of
from tests.support.running.stack import Process
from tools.figures.figure import Figure, Goal, Options
from tools.figures.scene import Scene, Spoken
from tools.figures.session_figures import Hurt, losses, of_every_session

_HEALTHY = 4
_N = 12
_CRASHES = 4  # per poisoned session
_BETWEEN_SECONDS = 5.0
_DONE_SECONDS = 60.0


async def measure(options: Options) -> list[Figure]:
    """N is a number of crashes, counted once for each healthy session; 0 where it was in another process."""
    figures: list[Figure] = []
    values: list[float] = []
    async with Scene.open(options) as scene:
        worker = await scene.stack.start_worker(PARLEY_PROCESSES="2", PARLEY_SPEECH_ENGINE="none")
        while len(values) < (options.n or _N):
            async with scene.sessions(_HEALTHY + 1) as spoken:
                poisoned, *healthy = spoken
                crashed = await _poison(scene, worker, poisoned)
                await asyncio.sleep(_BETWEEN_SECONDS)
                evidence = await scene.end(spoken)
            hurts = [Hurt(one.session_id, at) for at in crashed for one in healthy]
            for one, seen in zip(healthy, evidence[1:], strict=True):
                values += losses(one, seen, hurts)
            figures += of_every_session(healthy, evidence[1:])
    return [Figure("neighbours' silence per crash", "s", Goal("max", 3.0), tuple(values)), *figures]


async def _poison(scene: Scene, worker: Process, poisoned: Spoken) -> list[float]:
    """When the process that has the session died: five seconds after it took it, four times at most."""
    crashed: list[float] = []
    deadline = time.monotonic() + _DONE_SECONDS
    epoch = 1
    while len(crashed) < _CRASHES and time.monotonic() < deadline:
        session = await scene.stack.get(poisoned.session_id)
        if session["status"] != "running":
            break  # it was given up
        if session["epoch"] < epoch:
            await asyncio.sleep(0.1)  # nobody has it yet
            continue
        await asyncio.sleep(_BETWEEN_SECONDS)
        (await recorder_of(scene.stack, poisoned.session_id, worker)).kill()
        crashed.append(time.time())
        epoch = session["epoch"] + 1
    return crashed
