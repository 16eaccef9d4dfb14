"""Builds one recording from segment files with `audio.building.build` alone; answers like `finalize_once`.

Besides, how much of the seconds went into what is learned on the way: `peaks` (and levels), `loudness`.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from audio.building.build import BuildPlan, PlannedSegment, SegmentKey, build_recording
from audio.building.loudness import LoudnessMeter
from audio.building.peaks import LevelMeter, PeakMeter
from bench.children.finalize_once import peak_mb
from bench.children.line_answers import answer, next_request


async def main() -> None:
    answer({"idle_mb": peak_mb()})
    where = await next_request()
    segments = [PlannedSegment(SegmentKey.parse(name), path) for name, path in where["segments"]]
    plan = BuildPlan(tuple(segments), where["length_samples"])
    spent = {
        "peaks": _Stopwatch(PeakMeter, "push", "finish").also(LevelMeter, "add", "finish"),
        "loudness": _Stopwatch(LoudnessMeter, "push", "push_silence", "finish"),
    }
    started, cpu = time.perf_counter(), time.process_time()
    build_recording(plan, lambda key: Path(key).read_bytes(), where["wav"])
    answer(
        {
            "seconds": time.perf_counter() - started,
            "cpu": time.process_time() - cpu,
            "peak_mb": peak_mb(),
            **{name: watch.seconds for name, watch in spent.items()},
        }
    )


class _Stopwatch:
    """Adds up the time that some methods of classes take; one that calls another is counted once."""

    def __init__(self, cls: type, *methods: str) -> None:
        self.seconds = 0.0
        self._inside = False
        self.also(cls, *methods)

    def also(self, cls: type, *methods: str) -> Self:
        """Of this class, too."""
        for name in methods:
            setattr(cls, name, self._timed(getattr(cls, name)))
        return self

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            if self._inside:
                return method(*arguments)
            self._inside, started = True, time.perf_counter()
            try:
                return method(*arguments)
            finally:
                self._inside = False
                self.seconds += time.perf_counter() - started

        return timed


if __name__ == "__main__":
    asyncio.run(main())
