"""Encodes one WAV file; answers like `build_once`."""

import asyncio
import threading
import time
from pathlib import Path

from audio.building.encoding import encode
from bench.children.finalize_once import peak_mb
from bench.children.line_answers import answer, next_request


async def main() -> None:
    answer({"idle_mb": peak_mb()})
    where = await next_request()
    started, cpu = time.perf_counter(), time.process_time()
    encode(Path(where["wav"]), Path(where["to"]), where["format"], threading.Event())
    answer({"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu, "peak_mb": peak_mb()})


if __name__ == "__main__":
    asyncio.run(main())
