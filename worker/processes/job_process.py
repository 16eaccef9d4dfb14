"""The process that runs short jobs: finalizing never shares a process with recordings (it holds the GIL).

Nothing that builds recordings is loaded before there is one to build: at rest that is a sixth of its memory. It ends
when there has been nothing to do for long, and its supervisor starts it again when there is.
"""

import asyncio
import socket
from functools import cache
from typing import TYPE_CHECKING
from uuid import UUID

from sessions.settings import Settings
from store.database.database import Database
from store.database.database_access import DatabaseAccess
from store.installation.storage_identity import StorageIdentity
from store.jobs.deferring import ERASE, FINALIZE
from store.jobs.jobs import SessionTask, run_jobs
from store.objects.objects import Objects
from store.outputs.freeze import Freezes
from store.sessions.erasure import SessionErasure
from store.sweeping.demand import Demand
from store.sweeping.retention import Retention
from worker.vitals.activity import Activity

if TYPE_CHECKING:
    from worker.outputs.product.finalizer import Finalizer

_POOL_SIZE = 2
_GRACE_SECONDS = 4.0  # an interrupted build is done again, with the same bytes


async def run_job_process(
    settings: Settings, access: DatabaseAccess, objects: Objects, stopping: asyncio.Event
) -> None:
    """Run jobs until `stopping` is set, or there has been nothing to do for long."""
    async with access.open("parley-jobs", pool_size=_POOL_SIZE) as db:
        erasure = SessionErasure(db, objects)
        activity, demand = Activity(), Demand(db, socket.gethostname(), follows=False)
        tasks = {FINALIZE: _finalize(settings, db, objects), ERASE: erasure.sweep}
        days = settings.retention_days
        expire = None if days is None else Retention(db, objects, erasure, days).expire

        async def is_wanted() -> bool:
            return (await demand.look()).jobs

        jobs = run_jobs(
            access.url,
            tasks,
            stopping,
            direct_url=access.direct_url,
            expire=expire,
            grace_seconds=_GRACE_SECONDS,
            busy=activity.busy,
        )
        idle = activity.end_when_idle(stopping, is_wanted, after_seconds=settings.idle_process_seconds)
        async with asyncio.TaskGroup() as group:
            group.create_task(idle, name="idleness")
            group.create_task(jobs, name="jobs")


def _finalize(settings: Settings, db: Database, objects: Objects) -> SessionTask:
    @cache
    def finalizer() -> "Finalizer":
        from worker.outputs.leftovers import Leftovers
        from worker.outputs.product.finalizer import Finalizer

        return Finalizer(
            Freezes(db),
            objects,
            StorageIdentity(db, objects).confirm,
            Leftovers(db, objects),
            temporary=settings.data_dir / "tmp",
            salvage_seconds=settings.salvage_seconds,
        )

    async def finalize(session_id: UUID) -> None:
        await finalizer().finalize(session_id)

    return finalize
