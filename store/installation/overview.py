"""How the whole installation is, in numbers: nothing of what a session is about, and nothing that names whose it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, text

from store.database.database import Database
from store.database.notify.listener_names import API_LISTENER, JOBS_LISTENER, RECORDER_LISTENER, WEBHOOKS_LISTENER

_LISTENERS = {
    "api": API_LISTENER,
    "recorder": RECORDER_LISTENER,
    "jobs": JOBS_LISTENER,
    "webhooks": WEBHOOKS_LISTENER,
}

# Processes are counted by the connection with which each of them listens. Sessions of the last hour are found by their
# ids, which begin with the time.
_NOW = text(
    """
    WITH listening AS (
        SELECT application_name AS name, count(*) AS found FROM pg_stat_activity
        WHERE datname = current_database() AND application_name IN (:api, :recorder, :jobs, :webhooks) GROUP BY 1
    ), queued AS (
        SELECT count(*) AS found, min(queued_at) AS since FROM sessions WHERE kind = 'voice' AND status = 'queued'
    )
    SELECT clock_timestamp() AS at,
        (SELECT found FROM listening WHERE name = :api) AS api_processes,
        (SELECT found FROM listening WHERE name = :recorder) AS recorder_processes,
        (SELECT found FROM listening WHERE name = :jobs) AS job_processes,
        (SELECT found FROM listening WHERE name = :webhooks) AS webhook_processes,
        queued.found AS waiting, extract(epoch FROM clock_timestamp() - queued.since)::float AS oldest_wait_seconds,
        (SELECT count(*) FROM sessions WHERE kind = 'voice' AND status = 'created') AS scheduled,
        (SELECT count(*) FROM sessions WHERE kind = 'voice' AND status = 'starting') AS starting,
        (SELECT count(*) FROM sessions WHERE kind = 'voice' AND status = 'running') AS running,
        (SELECT count(*) FROM sessions WHERE kind = 'voice' AND status = 'paused') AS paused,
        (SELECT count(*) FROM sessions WHERE status = 'ending') AS ending,
        (SELECT count(*) FROM runs WHERE released_at IS NOT NULL AND sealed_at IS NULL) AS unsealed_runs,
        (SELECT count(*) FROM erasures) AS erasures,
        (SELECT count(*) FROM erasures WHERE failures > 0) AS failing_erasures
    FROM queued
    """
)
_HOSTS = text(
    """
    SELECT r.host, count(DISTINCT r.owner) AS processes, count(*) AS sessions,
        extract(epoch FROM clock_timestamp() - min(r.beat_at))::float AS oldest_beat_seconds
    FROM sessions s JOIN runs r ON r.session_id = s.id AND r.epoch = s.epoch
    WHERE s.kind = 'voice' AND s.status IN ('starting', 'running', 'paused') AND r.released_at IS NULL
    GROUP BY r.host ORDER BY r.host
    """
)
_JOBS = text(
    """
    SELECT job.task_name AS name, count(*) FILTER (WHERE job.status = 'todo') AS waiting,
        count(*) FILTER (WHERE job.status = 'doing') AS running,
        count(*) FILTER (WHERE job.status = 'failed' AND ended.at >= clock_timestamp() - interval '1 hour') AS failed,
        extract(epoch FROM clock_timestamp() - min(deferred.at) FILTER (
            WHERE job.status = 'todo' AND (job.scheduled_at IS NULL OR job.scheduled_at <= clock_timestamp())
        ))::float AS oldest_wait_seconds
    FROM procrastinate_jobs job
    LEFT JOIN LATERAL (
        SELECT max(at) AS at FROM procrastinate_events WHERE job_id = job.id AND type = 'failed'
    ) ended ON job.status = 'failed'
    LEFT JOIN LATERAL (
        SELECT max(at) AS at FROM procrastinate_events WHERE job_id = job.id AND type IN ('deferred', 'scheduled')
    ) deferred ON job.status = 'todo'
    GROUP BY 1 ORDER BY 1
    """
)
_BEGUN = text(
    """
    WITH young AS (
        SELECT extract(epoch FROM r.claimed_at - s.queued_at)::float AS wait
        FROM sessions s LEFT JOIN runs r ON r.session_id = s.id AND r.epoch = 1
        WHERE s.kind = 'voice' AND s.id >= (lpad(to_hex(
            floor(extract(epoch FROM clock_timestamp() - interval '1 hour') * 1000)::bigint), 12, '0')
            || repeat('0', 20))::uuid
    )
    SELECT count(*) AS created, percentile_cont(0.5) WITHIN GROUP (ORDER BY wait) AS wait_median_seconds,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY wait) AS wait_p95_seconds, max(wait) AS wait_most_seconds
    FROM young
    """
)
_FINISHED = text(
    """
    SELECT status, error_code, count(*) AS sessions,
        count(*) FILTER (WHERE recording_state = 'incomplete') AS incomplete
    FROM sessions WHERE finished_at >= clock_timestamp() - interval '1 hour' AND kind = 'voice'
    GROUP BY 1, 2 ORDER BY 3 DESC, 2
    """
)


@dataclass(frozen=True, slots=True)
class Overview:
    """What was found, as rows of numbers.

    Attributes:
        now: queue, sessions that go on, processes, what is left to do.
        hosts: those that record.
        jobs: by kind.
        begun: voice sessions that were made in the last hour, and how long they waited, in seconds.
        finished: of the last hour, by status and error.
    """

    at: datetime
    now: RowMapping
    hosts: Sequence[RowMapping]
    jobs: Sequence[RowMapping]
    begun: RowMapping
    finished: Sequence[RowMapping]


async def look_over(db: Database) -> Overview:
    """Look at all of it, in one transaction.

    Raises:
        DatabaseError: the database is away or busy.
    """
    async with db.begin() as conn:
        now = (await conn.execute(_NOW, _LISTENERS)).mappings().one()
        hosts = (await conn.execute(_HOSTS)).mappings().all()
        jobs = (await conn.execute(_JOBS)).mappings().all()
        begun = (await conn.execute(_BEGUN)).mappings().one()
        finished = (await conn.execute(_FINISHED)).mappings().all()
    return Overview(now["at"], now, hosts, jobs, begun, finished)
