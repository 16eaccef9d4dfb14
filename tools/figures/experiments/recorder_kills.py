"""kill -9 of a process that records four sessions."""

import asyncio
import random
import time

import psutil

from tests.support.never_silently_wrong import Evidence
from tests.support.recording_process import recorder_of
from tests.support.stack import Process
from tools.figures.figure import Figure, Goal, Options
from tools.figures.scene import Scene, Spoken
from tools.figures.truths import Hurt, losses, of_every_session

_SESSIONS = 4
_KILLS = 2  # per session: whatever dies more often within half a minute is kept apart from others
_BETWEEN_SECONDS = (5.0, 6.0)  # a random instant of the beats, of the segments and of the frames


async def measure_kills(options: Options, name: str, n: int, processes: int) -> list[Figure]:
    """One value per kill and session that the process recorded."""
    figures: list[Figure] = []
    dice = random.Random(options.seed)
    async with Scene.open(options) as scene:
        worker = await scene.stack.start_worker(PARLEY_PROCESSES=str(processes), PARLEY_SPEECH_ENGINE="none")
        values: list[float] = []
        while len(values) < n:
            async with scene.sessions(_SESSIONS) as spoken:
                hurts: list[Hurt] = []
                for _ in range(_KILLS):
                    await asyncio.sleep(dice.uniform(*_BETWEEN_SECONDS))
                    hurts += await kill_recorder_of(scene, worker, spoken, spoken[0])
                await asyncio.sleep(_BETWEEN_SECONDS[0])
                evidence = await scene.end(spoken)
            values += _values(spoken, evidence, hurts)
            figures += of_every_session(spoken, evidence)
    return [Figure(name, "s", Goal("p99", 1.0), tuple(values)), *figures]


def _values(spoken: list[Spoken], evidence: list[Evidence], hurts: list[Hurt]) -> list[float]:
    return [seconds for one, seen in zip(spoken, evidence, strict=True) for seconds in losses(one, seen, hurts)]


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
