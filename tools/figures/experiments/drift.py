"""One long session, nothing is hurt: whether its speech lies where it was spoken at the end as at the beginning.

On a busy machine single slots are late or lost, which is not drift: the median of each minute is what is told. The
talkers' sources have no queue: one that has falls behind with each stall of this process, and does not catch up (seen:
0.3 s in 14 minutes).
"""

import asyncio
from collections import defaultdict

import numpy as np

from tests.support.rules.never_silently_wrong import Evidence, since_start
from tests.support.talkers.slots import SlotTalker, found_slots
from tools.figures.figure import Figure, Goal, Options
from tools.figures.process_growth import Growth
from tools.figures.scene import Scene
from tools.figures.session_figures import of_every_session

_MINUTES = 3
_SAMPLES_PER_MINUTE = 2


async def measure(options: Options) -> list[Figure]:
    """N is a number of minutes."""
    minutes = options.n or _MINUTES
    async with Scene.open(options) as scene:
        worker = await scene.stack.start_worker(PARLEY_SPEECH_ENGINE="none")
        growth = Growth(scene.stack.processes[0], worker)
        async with scene.sessions(1, talkers=2, queue_ms=0) as spoken:
            async with growth.sampled(60 / _SAMPLES_PER_MINUTE):
                await asyncio.sleep(60 * minutes)
            evidence = await scene.end(spoken)
    [seen] = evidence
    lines = [minute_medians_ms(seen, talker) for talker in spoken[0].talkers]
    print(
        f"median of each minute, ms later than it was spoken: {[np.round(line, 1).tolist() for line in lines]}",
        flush=True,
    )
    length = abs(len(seen.samples) / 48 - seen.clock_ms)
    return [
        _figure(f"drift of a talker over {minutes} minutes, by a straight line", tuple(map(line_drift_ms, lines))),
        _figure(f"widest distance between two of {minutes} minutes", tuple(float(np.ptp(line)) for line in lines)),
        _figure(f"length of the file of {minutes} minutes against the clock", (length,)),
        *of_every_session(spoken, evidence),
        *growth.figures(60 * _SAMPLES_PER_MINUTE, "hour"),
    ]


def _figure(name: str, values: tuple[float, ...]) -> Figure:
    return Figure(name, "ms", Goal("max", 50), values)


def minute_medians_ms(seen: Evidence, talker: SlotTalker) -> list[float]:
    """How much later than they were spoken the slots of each minute lie, in milliseconds."""
    sent = since_start(talker.sent, seen.session)
    found = found_slots(seen.samples, talker.voice, sent)
    minutes: defaultdict[int, list[float]] = defaultdict(list)
    for slot in sent:
        if slot.number in found:
            minutes[int(slot.at // 60)].append(1000 * (found[slot.number] - slot.at))
    return [float(np.median(minutes[minute])) for minute in sorted(minutes)]


def line_drift_ms(medians: list[float]) -> float:
    """By how much a straight line through the minutes rises or falls from the first to the last one."""
    if len(medians) < 2:
        return 0.0
    slope, _ = np.polyfit(np.arange(len(medians)), medians, 1)
    return abs(float(slope)) * (len(medians) - 1)
