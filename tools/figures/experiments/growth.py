"""Sessions one after the other: whether memory, descriptors and threads of our processes grow with their number.

Recorder processes retire on the way, as they do in the long run; what is told is all of a worker's together.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import numpy as np
import psutil

from tests.support.beeps import mint_token
from tests.support.slots import SlotTalker, SlotVoice
from tests.support.stack import Process
from tools.figures.figure import Figure, Goal, Options
from tools.figures.scene import Scene

_SESSIONS = 200
_PER_RECORDER = 40
_ROOMS = 8
_RECORDED_SECONDS = 1.0
_WARM_SHARE = 4  # of the rounds, the first one in so many is left out: allocators and pools fill
_CONFIDENCE = 1.96  # standard errors to each side

Row = dict[str, float]


async def measure(options: Options) -> list[Figure]:
    """N is a number of sessions; eight are recorded at once, each in a room in which somebody talks."""
    rounds = -(-(options.n or _SESSIONS) // _ROOMS)
    rows: list[Row] = []
    async with Scene.open(options) as scene, AsyncExitStack() as rooms:
        worker = await scene.stack.start_worker(
            PARLEY_SPEECH_ENGINE="none", PARLEY_RECORDER_SESSIONS=str(_PER_RECORDER)
        )
        server = scene.stack.livekit
        for number in range(_ROOMS):
            token = mint_token(server.api_key, server.api_secret, f"growth-{number}", "talker")
            await rooms.enter_async_context(SlotTalker(server.url, token, SlotVoice(0)))
        for _ in range(rounds):
            await _round(scene)
            rows.append(_row(scene.stack.processes[0], worker))
    most = max(row["recorders: memory, KiB"] for row in rows) / 1024
    what = f"memory of a worker's recorders over {rounds * _ROOMS} sessions, {_PER_RECORDER} each"
    return [*(_figure(name, rows, rounds * _ROOMS) for name in rows[0]), Figure(what, "MB", Goal("max", 200), (most,))]


async def _round(scene: Scene) -> None:
    created = [(await scene.stack.create(f"growth-{number}"))["id"] for number in range(_ROOMS)]
    for name in created:
        await scene.stack.reach(name, "running")
    await asyncio.sleep(_RECORDED_SECONDS)
    for name in created:
        status, answer = await scene.stack.call("POST", f"/v1/sessions/{name}/end")
        assert status == 200, answer
    for name in created:
        await scene.stack.reach(name, "ended", seconds=60)


def _row(api: Process, worker: Process) -> Row:
    processes = {
        "API": [psutil.Process(api.popen.pid)],
        "supervisor": [psutil.Process(worker.popen.pid)],
        "recorders": worker.living("recorder"),
    }
    row: Row = {}
    for name, several in processes.items():
        row[f"{name}: memory, KiB"] = sum(process.memory_full_info().pss for process in several) / 1024
        row[f"{name}: descriptors"] = sum(process.num_fds() for process in several)
        row[f"{name}: threads"] = sum(process.num_threads() for process in several)
    return row


def _figure(name: str, rows: Sequence[Row], sessions: int) -> Figure:
    settled = [row[name] for row in rows[len(rows) // _WARM_SHARE :]]
    what = f"least growth per 1000 sessions that {sessions} sessions don't rule out, {name}"
    return Figure(what, "", Goal("max", 0), (1000 / _ROOMS * least_slope(settled),))


def least_slope(values: Sequence[float]) -> float:
    """The lower end of the confidence interval (95 %) of the values' slope per step; 0 for values that are all one.

    Above 0 the values do grow; a process that keeps what it took once does not.
    """
    steps = np.arange(len(values)) - (len(values) - 1) / 2
    spread = float(np.sum(steps**2))
    if len(values) < 3 or spread == 0:
        return 0.0
    slope = float(np.dot(steps, values)) / spread
    left_over = np.asarray(values) - np.mean(values) - slope * steps
    error = float(np.sqrt(np.sum(left_over**2) / (len(values) - 2) / spread))
    return slope - _CONFIDENCE * error
