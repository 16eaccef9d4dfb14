"""Frees jobs that are marked as running although nobody runs them.

Such a job would hold its session's lock for ever. It happens when a job process is killed, and when PostgreSQL is
restarted between a commit and its answer: a fetched job that never arrived, a finished one that wasn't marked.
"""

import asyncio
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime

import structlog
from procrastinate import App, exceptions
from procrastinate.jobs import Status
from procrastinate.worker import Worker

_EVERY_SECONDS = 10.0
_SILENT_SECONDS = 20.0  # four missed heartbeats
_AT_ONCE = datetime(2020, 1, 1, tzinfo=UTC)  # in the past, whatever this host's clock says

_log = structlog.get_logger(__name__)


async def rescue_jobs(
    app: App, worker: Worker, running: AbstractSet[int], *, every_seconds: float = _EVERY_SECONDS
) -> None:
    """Look for stuck jobs until canceled; a job is freed when two looks in a row find it stuck.

    One look is not enough: a job may be starting or ending just then, or its worker's heartbeats may be late because
    PostgreSQL was away. A job that is freed too early runs twice, which every job has to tolerate.
    """
    suspects: set[int] = set()
    while True:
        await asyncio.sleep(every_seconds)
        stuck = await _stuck(app, worker, running)
        for job_id in stuck & suspects:
            await _free(app, job_id)
        suspects = stuck - suspects


async def _stuck(app: App, worker: Worker, running: AbstractSet[int]) -> set[int]:
    rows = await app.connector.execute_query_all_async(
        """
        SELECT job.id
        FROM procrastinate_jobs AS job LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
        WHERE job.status = 'doing' AND (
            worker.id IS NULL
            OR worker.last_heartbeat < clock_timestamp() - make_interval(secs => %(silent_seconds)s)
            OR job.worker_id = %(own_id)s)
        """,
        silent_seconds=_SILENT_SECONDS,
        own_id=worker.worker_id,
    )
    return {row["id"] for row in rows} - running


async def _free(app: App, job_id: int) -> None:
    try:
        await app.job_manager.retry_job_by_id_async(job_id=job_id, retry_at=_AT_ONCE)
    except exceptions.UniqueViolation:  # one like it is waiting already
        await app.job_manager.finish_job_by_id_async(job_id=job_id, status=Status.FAILED, delete_job=True)
    except exceptions.ConnectorException:  # it ended in the meantime
        return
    _log.warning("jobs.rescued", job_id=job_id)
