"""Finalizes one session with the real finalizer; answers seconds, CPU seconds and peak memory."""

import asyncio
import time
from pathlib import Path
from uuid import UUID

from bench.children.line_answers import answer, next_request
from store.database.database import Database
from store.installation.storage_identity import StorageIdentity
from store.objects.objects import Objects
from store.outputs.freeze import Freezes
from worker.outputs.leftovers import Leftovers
from worker.outputs.product.finalizer import Finalizer


async def main() -> None:
    answer({"idle_mb": peak_mb()})
    where = await next_request()
    async with Database.open(where["database_url"], timeout_seconds=10, application_name="bench") as db:
        objects = Objects.open(where["storage_url"])
        identity = StorageIdentity(db, objects)
        await identity.adopt()  # each session of a bench has a storage of its own
        finalizer = Finalizer(
            Freezes(db),
            objects,
            identity.confirm,
            Leftovers(db, objects),
            temporary=Path(where["temporary"]),
            salvage_seconds=60,
        )
        started, cpu = time.perf_counter(), time.process_time()
        await finalizer.finalize(UUID(where["session_id"]))
        answer(
            {"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu, "peak_mb": peak_mb()},
        )


def peak_mb() -> float:
    """The most memory that this process ever had, in MB; the kernel's own count, started anew by exec."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return float("nan")


if __name__ == "__main__":
    asyncio.run(main())
