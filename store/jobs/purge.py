"""Rows that the store deletes by itself: idempotency answers after a day, finished jobs after a week."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from procrastinate import App

KEPT_HOURS = 24  # as docs/api.md promises for an Idempotency-Key
_FINISHED_JOBS_KEPT_HOURS = 7 * 24
_BATCH = 5000


async def purge_idempotency_keys(app: "App") -> None:
    """Delete every idempotency row older than a day, in short transactions."""
    while True:
        rows = await app.connector.execute_query_all_async(
            """
            DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM idempotency_keys
                WHERE created_at < clock_timestamp() - make_interval(hours => %(hours)s) LIMIT %(batch)s))
            RETURNING 1 AS deleted
            """,
            hours=KEPT_HOURS,
            batch=_BATCH,
        )
        if len(rows) < _BATCH:
            break
    await app.connector.execute_query_async(
        "DELETE FROM answer_bytes WHERE hour < clock_timestamp() - make_interval(hours => %(hours)s)",
        hours=KEPT_HOURS + 1,
    )


async def purge_finished_jobs(app: "App") -> None:
    """Delete the rows of jobs that ended a week ago; those of successful ones are deleted as they end."""
    await app.job_manager.delete_old_jobs(
        nb_hours=_FINISHED_JOBS_KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )
