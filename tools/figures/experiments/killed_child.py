"""kill -9 of one of two recorder processes: the other one takes its sessions."""

from tools.figures.experiments.recorder_kills import measure_kills
from tools.figures.figure import Figure, Options

_N = 16


async def measure(options: Options) -> list[Figure]:
    """N is a number of kills, counted once for each session that the killed process had."""
    return await measure_kills(options, "speech lost per kill -9 of a child", options.n or _N, processes=2)
