"""The process that runs short jobs: finalizing never shares a process with recordings (it holds the GIL)."""

import asyncio
from collections.abc import Callable

from pydantic import SecretStr

from sessions.settings import Settings
from store.installation.storage_identity import StorageIdentity
from store.jobs.jobs import ERASE, FINALIZE, run_jobs
from store.objects.objects import Objects
from store.outputs.freeze import Freezes
from store.sessions.erasure import SessionErasure
from store.sweeping.retention import Retention
from worker.processes.job_database import open_job_database
from worker.product.finalizer import Finalizer

_GRACE_SECONDS = 4.0  # an interrupted build is done again, with the same bytes


async def run_job_process(
    settings: Settings,
    database_url: SecretStr,
    objects: Objects,
    stopping: asyncio.Event,
    *,
    reconnect: Callable[[], object] | None,
) -> None:
    """Run jobs until `stopping` is set."""
    async with open_job_database(settings, database_url, name="parley-jobs", reconnect=reconnect) as db:
        finalizer = Finalizer(
            Freezes(db),
            objects,
            StorageIdentity(db, objects).confirm,
            temporary=settings.data_dir / "tmp",
            salvage_seconds=settings.salvage_seconds,
        )
        erasure = SessionErasure(db, objects)
        tasks = {FINALIZE: finalizer.finalize, ERASE: erasure.sweep}
        days = settings.retention_days
        expire = None if days is None else Retention(db, objects, erasure, days).expire
        await run_jobs(
            database_url,
            tasks,
            stopping,
            direct_url=settings.database_direct_url,
            expire=expire,
            grace_seconds=_GRACE_SECONDS,
        )
