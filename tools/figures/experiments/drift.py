"""One long session, nothing is hurt: whether its speech lies where it was spoken at the end as at the beginning."""

import asyncio

import numpy as np

from tests.support.never_silently_wrong import Evidence, since_start
from tests.support.slots import SlotTalker, found_slots
from tools.figures.figure import Figure, Goal, Options
from tools.figures.scene import Scene
from tools.figures.truths import of_every_session

_MINUTES = 3
_END_SHARE = 10  # of the session's slots, one in so many is taken for each end


async def measure(options: Options) -> list[Figure]:
    """N is a number of minutes."""
    minutes = options.n or _MINUTES
    async with Scene.open(options) as scene:
        await scene.stack.start_worker(PARLEY_SPEECH_ENGINE="none")
        async with scene.sessions(1, talkers=2) as spoken:
            await asyncio.sleep(60 * minutes)
            evidence = await scene.end(spoken)
    [seen] = evidence
    drifts = tuple(drift_ms(seen, talker) for talker in spoken[0].talkers)
    length = abs(len(seen.samples) / 48 - seen.clock_ms)
    return [
        Figure(f"drift of a talker over {minutes} minutes", "ms", Goal("max", 50), drifts),
        Figure(f"length of the file of {minutes} minutes against the clock", "ms", Goal("max", 50), (length,)),
        *of_every_session(spoken, evidence),
    ]


def drift_ms(seen: Evidence, talker: SlotTalker) -> float:
    """By how many milliseconds the end of a recording lies later, or earlier, than its beginning does."""
    sent = since_start(talker.sent, seen.session)
    found = found_slots(seen.samples, talker.voice, sent)
    late = [found[slot.number] - slot.at for slot in sent if slot.number in found]
    share = max(len(late) // _END_SHARE, 1)
    return 1000 * abs(float(np.median(late[-share:]) - np.median(late[:share])))
