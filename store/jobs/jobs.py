"""Short jobs on Procrastinate: what they are called, how one is deferred within our transaction, and what runs them.

Deferring needs no function: the API names a task without importing the worker that runs it. Arguments are ids only, as
Procrastinate may log them. A job that fails is not repeated by Procrastinate (its retry would collide with a waiting
job of the same queueing lock, and then stay `doing` for ever): the sweeper defers it again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from traceback import format_exception
from uuid import UUID

import psycopg
import structlog
from procrastinate import App, JobContext, PsycopgConnector, exceptions
from procrastinate.worker import Worker
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.errors import ParleyError
from sessions.ids import format_id
from sessions.texts.redaction import redact
from store.jobs.job_rescue import rescue_jobs
from store.jobs.patient_connector import PatientConnector
from store.jobs.purge import purge_finished_jobs, purge_idempotency_keys
from store.waiting.set_within import set_within

SessionTask = Callable[[UUID], Awaitable[None]]
Expire = Callable[[], Awaitable[object]]
Busy = Callable[[], AbstractContextManager[None]]
UnderWay = Callable[[JobContext], AbstractContextManager[None]]

SHORT_QUEUE = "short"
SPEECH_QUEUE = "speech"  # these jobs take minutes and hold the GIL: a process of their own runs them
FINALIZE = "recordings.finalize"
ERASE = "sessions.erase"
TRANSCRIBE = "transcripts.transcribe"
REMAKE = "transcripts.remake"
MAKE_FILES = "recordings.make_files"
SUMMARIZE = "summaries.summarize"
PURGE_IDEMPOTENCY = "store.purge_idempotency"
PURGE_JOBS = "store.purge_jobs"
RETENTION = "sessions.expire"

WAITING = """
    SELECT FROM procrastinate_jobs
    WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= clock_timestamp())
"""
"""Jobs that could be run now, as a query that goes on with another condition."""

BACKGROUND = -10  # a priority: jobs that somebody waits for (0) come first
_BEHIND_TRANSCRIPTS = -5  # which others wait for, and summaries too
_HEARTBEAT_SECONDS = 5.0
_POLL_SECONDS = 1.0  # Procrastinate does not notify of a job whose lock has become free
_FIRST_DELAY_SECONDS = 0.2
_LONGEST_DELAY_SECONDS = 5.0

_log = structlog.get_logger(__name__)

# Never opened: it only builds the statements that run on our own connections.
_deferring = App(connector=PsycopgConnector())


class JobFailedError(Exception):
    """A job didn't do what it should; the cause has been logged, redacted."""


async def defer_finalize(conn: AsyncConnection, session_id: UUID) -> bool:
    """Defer the finalize job of one session; it exists if and only if the transaction of `conn` commits.

    Does nothing while such a job waits already. While one runs, the new job waits for it to end.

    Returns:
        Whether a job was added.
    """
    return await _defer(conn, session_id, FINALIZE, SHORT_QUEUE, lock="session", queueing_lock="finalize")


async def defer_erase(conn: AsyncConnection, session_id: UUID, *, in_seconds: int = 0) -> bool:
    """Defer the job that removes what is left of an erased session; see `defer_finalize`."""
    return await _defer(
        conn,
        session_id,
        ERASE,
        SHORT_QUEUE,
        lock="session",
        queueing_lock=f"erase-in-{in_seconds}",
        in_seconds=in_seconds,
        priority=BACKGROUND,
    )


async def defer_transcribe(conn: AsyncConnection, session_id: UUID) -> bool:
    """Defer the job that closes a session's transcript; see `defer_finalize`."""
    return await _defer(conn, session_id, TRANSCRIBE, SPEECH_QUEUE, lock="transcript", queueing_lock="transcribe")


async def defer_remake(conn: AsyncConnection, session_id: UUID) -> bool:
    """Defer the job that makes a session's transcript anew; see `defer_finalize`."""
    return await _defer(conn, session_id, REMAKE, SPEECH_QUEUE, lock="transcript", queueing_lock="remake")


async def defer_make_files(conn: AsyncConnection, session_id: UUID) -> bool:
    """Defer the job that makes a recording's other forms; see `defer_finalize`."""
    return await _defer(
        conn, session_id, MAKE_FILES, SPEECH_QUEUE, lock="files", queueing_lock="make-files", priority=BACKGROUND
    )


async def defer_summarize(conn: AsyncConnection, session_id: UUID) -> bool:
    """Defer the job that makes a session's summary; see `defer_finalize`."""
    return await _defer(
        conn,
        session_id,
        SUMMARIZE,
        SPEECH_QUEUE,
        lock="summary",
        queueing_lock="summarize",
        priority=_BEHIND_TRANSCRIPTS,
    )


async def _defer(
    conn: AsyncConnection,
    session_id: UUID,
    name: str,
    queue: str,
    *,
    lock: str,
    queueing_lock: str,
    in_seconds: int = 0,
    priority: int = 0,
) -> bool:
    raw = (await conn.get_raw_connection()).driver_connection
    assert isinstance(raw, psycopg.AsyncConnection)
    job = _deferring.configure_task(
        name,
        queue=queue,
        lock=f"{lock}-{session_id}",
        queueing_lock=f"{queueing_lock}-{session_id}",
        connection=raw,
        priority=priority,
        schedule_at=await _after(conn, in_seconds) if in_seconds else None,
    )
    try:
        async with conn.begin_nested():  # a unique violation outside of a savepoint would end the caller's transaction
            await job.defer_async(session_id=str(session_id))
    except exceptions.AlreadyEnqueued:
        return False
    except exceptions.ConnectorException as error:
        if isinstance(error.__cause__, psycopg.Error):
            raise error.__cause__ from None  # `Database` gives these their names
        raise
    return True


async def _after(conn: AsyncConnection, seconds: int) -> datetime:
    """So many seconds from now by the database's clock, which fetches jobs; Procrastinate would take this host's."""
    query = text("SELECT clock_timestamp() + make_interval(secs => :seconds)")
    after: datetime = (await conn.execute(query, {"seconds": seconds})).scalar_one()
    return after


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
