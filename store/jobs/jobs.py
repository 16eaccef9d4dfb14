"""What runs short jobs, on Procrastinate; `store.jobs.deferring` says what they are called.

A job that fails is not repeated by Procrastinate (its retry would collide with a waiting job of the same queueing lock,
and then stay `doing` for ever): the sweeper defers it again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from traceback import format_exception
from uuid import UUID

import structlog
from procrastinate import App, JobContext
from procrastinate.worker import Worker
from pydantic import SecretStr

from sessions.errors import ParleyError
from sessions.ids import format_id
from sessions.texts.redaction import redact
from store.jobs.deferring import BACKGROUND, PURGE_IDEMPOTENCY, PURGE_JOBS, RETENTION, SHORT_QUEUE
from store.jobs.job_rescue import rescue_jobs
from store.jobs.patient_connector import PatientConnector
from store.jobs.purge import purge_finished_jobs, purge_idempotency_keys
from store.set_within import set_within

SessionTask = Callable[[UUID], Awaitable[None]]
Expire = Callable[[], Awaitable[object]]
Busy = Callable[[], AbstractContextManager[None]]
UnderWay = Callable[[JobContext], AbstractContextManager[None]]

_HEARTBEAT_SECONDS = 5.0
_POLL_SECONDS = 1.0  # Procrastinate does not notify of a job whose lock has become free
_FIRST_DELAY_SECONDS = 0.2
_LONGEST_DELAY_SECONDS = 5.0

_log = structlog.get_logger(__name__)


class JobFailedError(Exception):
    """A job didn't do what it should; the cause has been logged, redacted."""


async def run_jobs(
    url: SecretStr | str,
    tasks: Mapping[str, SessionTask],
    stopping: asyncio.Event,
    *,
    direct_url: SecretStr | None = None,
    queue: str = SHORT_QUEUE,
    expire: Expire | None = None,
    concurrency: int = 2,
    grace_seconds: float = 20,
    busy: Busy = nullcontext,
) -> None:
    """Run jobs until `stopping` is set; running ones then have `grace_seconds` before they are canceled.

    Procrastinate's worker is started again whenever it returns or raises, as it does after some restarts of PostgreSQL.

    Args:
        url: libpq URL of the database.
        direct_url: the same past a pooler, if there is one: to listen.
        tasks: by its name, the function that runs a job of one session.
        stopping: set from the outside.
        queue: whose jobs.
        expire: called now and then to erase sessions whose retention is over; None: all are kept.
        concurrency: jobs at a time.
        grace_seconds: for running jobs.
        busy: entered while a job runs.
    """
    quiet_job_loggers()
    delay = _FIRST_DELAY_SECONDS
    while not stopping.is_set():
        try:
            running: set[int] = set()
            jobs = open_jobs(url, tasks, running, direct_url=direct_url, queue=queue, expire=expire, busy=busy)
            async with jobs.open_async() as app:
                delay = _FIRST_DELAY_SECONDS
                await _run_worker(app, running, stopping, queue, concurrency=concurrency, grace_seconds=grace_seconds)
        except Exception as error:
            _log.warning("jobs.worker_failed", error=redact(repr(error)))
        if not stopping.is_set():
            _log.warning("jobs.worker_restarts", delay_seconds=delay)
            await set_within(stopping, delay)
            delay = min(delay * 2, _LONGEST_DELAY_SECONDS)


def open_jobs(
    url: SecretStr | str,
    tasks: Mapping[str, SessionTask],
    running: set[int] | None = None,
    *,
    direct_url: SecretStr | None = None,
    queue: str = SHORT_QUEUE,
    expire: Expire | None = None,
    busy: Busy = nullcontext,
) -> App:
    """An App, not yet opened, that knows the jobs of a queue: `tasks` and, among the short ones, those of `periodic`.

    Args:
        url: libpq URL of the database.
        direct_url: the same past a pooler, if there is one: to listen.
        tasks: by its name, the function that runs a job of one session.
        running: holds the ids of the jobs that are being run, kept up to date.
        expire: see `run_jobs`.
        busy: see `run_jobs`.
    """
    app = App(connector=PatientConnector(SecretStr(url) if isinstance(url, str) else url, direct_url))
    ids: set[int] = set() if running is None else running

    @contextmanager
    def under_way(context: JobContext) -> Iterator[None]:
        assert context.job.id is not None
        ids.add(context.job.id)
        try:
            with busy():
                yield
        finally:
            ids.discard(context.job.id)

    for name, task in tasks.items():
        _register(app, queue, name, task, under_way)
    if queue != SHORT_QUEUE:
        return app

    @app.task(name=PURGE_IDEMPOTENCY, queue=SHORT_QUEUE, pass_context=True)
    async def purge_idempotency(context: JobContext, timestamp: int) -> None:
        with under_way(context):
            await purge_idempotency_keys(app)

    @app.task(name=PURGE_JOBS, queue=SHORT_QUEUE, pass_context=True)
    async def purge_jobs(context: JobContext, timestamp: int) -> None:
        with under_way(context):
            await purge_finished_jobs(app)

    if expire is not None:

        @app.task(name=RETENTION, queue=SHORT_QUEUE, priority=BACKGROUND, pass_context=True)
        async def retention(context: JobContext, timestamp: int) -> None:
            with under_way(context):
                await expire()

    return app


def quiet_job_loggers() -> None:
    """Keep Procrastinate's INFO lines, which print every job's arguments, and the pool's retries out of the log."""
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


def _register(app: App, queue: str, name: str, task: SessionTask, under_way: UnderWay) -> None:
    @app.task(name=name, queue=queue, pass_context=True)
    async def run(context: JobContext, session_id: str) -> None:
        try:
            with under_way(context):
                await task(UUID(session_id))
        except Exception as error:
            _log.error(
                "jobs.failed",
                job=name,
                session_id=format_id("sess", UUID(session_id)),
                error=redact(repr(error)),
                traceback=None if isinstance(error, ParleyError) else redact("".join(format_exception(error))),
            )
            raise JobFailedError(name) from None


async def _run_worker(
    app: App, running: set[int], stopping: asyncio.Event, queue: str, *, concurrency: int, grace_seconds: float
) -> None:
    worker = Worker(
        app,
        queues=[queue],
        concurrency=concurrency,
        install_signal_handlers=False,
        fetch_job_polling_interval=_POLL_SECONDS,
        delete_jobs="successful",
        shutdown_graceful_timeout=grace_seconds,
        update_heartbeat_interval=_HEARTBEAT_SECONDS,
        stalled_worker_timeout=3600,  # long, as a worker that is pruned alive can't take jobs any more
    )
    async with asyncio.TaskGroup() as group:
        run = group.create_task(worker.run(), name="jobs worker")  # type: ignore[no-untyped-call]
        rescue = group.create_task(rescue_jobs(app, worker, running), name="jobs rescue")
        stop = group.create_task(stopping.wait(), name="jobs stop")
        try:
            await asyncio.wait({run, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not run.done():
                worker.stop()  # type: ignore[no-untyped-call]
                await asyncio.wait({run}, timeout=grace_seconds + 2)
        finally:
            rescue.cancel()
            stop.cancel()
            while not run.done():  # with PostgreSQL away the worker outlives up to three cancellations (measured)
                run.cancel()
                await asyncio.wait({run}, timeout=1)
