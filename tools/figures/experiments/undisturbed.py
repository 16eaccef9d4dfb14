"""Nothing is hurt: every slot of two talkers in each room, where it lies, and what is billed."""

import asyncio

from tools.figures.figure import Figure, Goal, Options
from tools.figures.scene import Scene
from tools.figures.session_figures import of_every_session

_SESSIONS = 4
_SECONDS = 30
_MOST_AT_ONCE = 4


async def measure(options: Options) -> list[Figure]:
    """N is a number of sessions."""
    figures: list[Figure] = []
    async with Scene.open(options) as scene:
        await scene.stack.start_worker(PARLEY_SPEECH_ENGINE="none")
        left = options.n or _SESSIONS
        while left > 0:
            async with scene.sessions(min(left, _MOST_AT_ONCE), talkers=2) as spoken:
                await asyncio.sleep(_SECONDS)
                evidence = await scene.end(spoken)
            left -= len(spoken)
            off = [
                1000 * off
                for one, seen in zip(spoken, evidence, strict=True)
                for talker in one.talkers
                for off in seen.truth_of(talker).off
            ]
            figures += [Figure("placing error of a slot, undisturbed", "ms", Goal("p95", 20), tuple(off))]
            figures += of_every_session(spoken, evidence)
    return figures
