"""kill -9 of a process that records four sessions."""

import asyncio
import random
import time

import psutil

from tests.support.running.recording_process import recorder_of
from tests.support.running.stack import Process
from tools.figures.figure import Figure, Goal, Options
from tools.figures.scene import Scene, Spoken
from tools.figures.session_figures import Hurt, losses, of_every_session

_SESSIONS = 4
_KILLS = 2  # per session: whatever dies more often within half a minute is kept apart from others
_BETWEEN_SECONDS = (5.0, 6.0)  # a random instant of the beats, of the segments and of the frames


async def measure_kills(options: Options, name: str, n: int, processes: int) -> list[Figure]:
    """One value per kill and session that the process recorded.

    A session whose process dies for the second time within half a minute is a suspect, and gets a process of its own,
    started for it: that takes longer, and is a figure of its own.
    """
    figures: list[Figure] = []
    dice = random.Random(options.seed)
    async with Scene.open(options) as scene:
        worker = await scene.stack.start_worker(PARLEY_PROCESSES=str(processes), PARLEY_SPEECH_ENGINE="none")
        first: list[float] = []
        again: list[float] = []
        while len(first) + len(again) < n:
            async with scene.sessions(_SESSIONS) as spoken:
                hurts: list[Hurt] = []
                for _ in range(_KILLS):
                    await asyncio.sleep(dice.uniform(*_BETWEEN_SECONDS))
                    hurts += await kill_recorder_of(scene, worker, spoken, spoken[0])
                await asyncio.sleep(_BETWEEN_SECONDS[0])
                evidence = await scene.end(spoken)
            for one, seen in zip(spoken, evidence, strict=True):
                lost = losses(one, seen, hurts)
                first += lost[:1]
                again += lost[1:]
            figures += of_every_session(spoken, evidence)
    goal = Goal("p99", 1.0)
    return [Figure(name, "s", goal, tuple(first)), Figure(f"{name}, again", "s", goal, tuple(again)), *figures]


async def kill_recorder_of(scene: Scene, worker: Process, spoken: list[Spoken], victim: Spoken) -> list[Hurt]:
    """kill -9 of the process that records `victim`; returns when another run has each of its sessions."""
    recorders = {one.session_id: await recorder_of(scene.stack, one.session_id, worker) for one in spoken}
    process: psutil.Process = recorders[victim.session_id]
    hit = [one for one in spoken if recorders[one.session_id] == process]
    before = await scene.epochs(hit)
    process.kill()
    killed_at = time.time()
    await scene.taken_over(hit, before)
    return [Hurt(one.session_id, killed_at) for one in hit]
