"""SIGTERM of a worker with eight sessions, while another one is there to take them; again and again, in turns."""

import asyncio
import random
import signal
import time

from tests.support.running.stack import Process
from tools.figures.figure import Figure, Goal, Options
from tools.figures.scene import Scene, Spoken
from tools.figures.session_figures import Hurt, losses, of_every_session

_SESSIONS = 8
_N = 24
_MOST_IN_A_ROW = 8  # then come new sessions, so that their files stay short
_SETTLED_SECONDS = (3.0, 4.0)
_EXIT_SECONDS = 60.0


async def measure(options: Options) -> list[Figure]:
    """N is a number of hand-overs, counted once for each session."""
    figures: list[Figure] = []
    values: list[float] = []
    dice = random.Random(options.seed)
    async with Scene.open(options) as scene:
        number = 0
        serving = await _worker(scene, number)
        while len(values) < (options.n or _N):
            hurts: list[Hurt] = []
            async with scene.sessions(_SESSIONS) as spoken:
                for _ in range(_MOST_IN_A_ROW):
                    number += 1
                    successor = await _worker(scene, number)
                    await asyncio.sleep(dice.uniform(*_SETTLED_SECONDS))
                    hurts += await _hand_over(scene, serving, spoken)
                    serving = successor
                    if len(values) + len(hurts) >= (options.n or _N):
                        break
                await asyncio.sleep(_SETTLED_SECONDS[0])
                evidence = await scene.end(spoken)
            for one, seen in zip(spoken, evidence, strict=True):
                values += losses(one, seen, hurts)
            figures += of_every_session(spoken, evidence)
    return [Figure("speech lost per hand-over (SIGTERM)", "s", Goal("p99", 0.3), tuple(values)), *figures]


async def _worker(scene: Scene, number: int) -> Process:
    return await scene.stack.start_worker(f"worker-{number}", PARLEY_PROCESSES="2", PARLEY_SPEECH_ENGINE="none")


async def _hand_over(scene: Scene, serving: Process, spoken: list[Spoken]) -> list[Hurt]:
    before = await scene.epochs(spoken)
    serving.popen.send_signal(signal.SIGTERM)
    asked_at = time.time()
    await scene.taken_over(spoken, before)
    await asyncio.to_thread(serving.popen.wait, _EXIT_SECONDS)
    return [Hurt(one.session_id, asked_at) for one in spoken]
