"""Jobs that are due again and again, once in the whole installation: Procrastinate knows what was deferred.

Supervisors defer them, as the process that runs jobs may not be there.
"""

from sqlalchemy import text

from store.database.database import Database
from store.jobs.deferring import BACKGROUND, PURGE_IDEMPOTENCY, PURGE_JOBS, RETENTION, SHORT_QUEUE

_HOUR_SECONDS = 3600
EVERY_SECONDS = {PURGE_IDEMPOTENCY: _HOUR_SECONDS, PURGE_JOBS: 24 * _HOUR_SECONDS, RETENTION: 300}
"""How often each is run, at multiples of this by the database's clock (UTC)."""

_DEFER = text(
    """
    SELECT procrastinate_defer_periodic_job_v2(
        :queue, NULL, NULL, :task, CAST(:priority AS integer), '', due.at, jsonb_build_object('timestamp', due.at))
    FROM (SELECT CAST(floor(extract(epoch FROM statement_timestamp()) / :every) * :every AS bigint) AS at) due
    """
)


async def defer_periodic(db: Database, *, retention: bool) -> int:
    """Defer what is due and was not deferred yet; how many jobs that were. `retention`: whether sessions expire."""
    deferred = 0
    async with db.begin() as conn:
        for task, every in EVERY_SECONDS.items():
            if task == RETENTION and not retention:
                continue
            priority = BACKGROUND if task == RETENTION else 0
            asked = {"queue": SHORT_QUEUE, "task": task, "priority": priority, "every": every}
            deferred += (await conn.execute(_DEFER, asked)).scalar_one() is not None
    return deferred
