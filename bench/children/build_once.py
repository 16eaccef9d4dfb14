"""Builds one recording from segment files with `audio.building.build` alone; answers like `finalize_once`."""

import asyncio
import time
from pathlib import Path

from audio.building.build import BuildPlan, PlannedSegment, SegmentKey, build_recording
from bench.children.finalize_once import peak_mb
from bench.children.lines import answer, next_request


async def main() -> None:
    answer({"idle_mb": peak_mb()})
    where = await next_request()
    segments = [PlannedSegment(SegmentKey.parse(name), path) for name, path in where["segments"]]
    plan = BuildPlan(tuple(segments), where["length_samples"])
    started, cpu = time.perf_counter(), time.process_time()
    build_recording(plan, lambda key: Path(key).read_bytes(), where["wav"])
    answer({"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu, "peak_mb": peak_mb()})


if __name__ == "__main__":
    asyncio.run(main())
