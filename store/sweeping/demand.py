"""What there is to do for the processes of a worker that run only while there is something.

Asked twice a second by each worker that lacks one of them: each part reads an index that holds what is due, or the few
sessions that are followed live.
"""

from dataclasses import dataclass

from sqlalchemy import text

from sessions.lifecycle.lifecycle import ACTIVE, Status
from store.database.database import Database
from store.jobs.deferring import SHORT_QUEUE, SPEECH_QUEUE, WAITING
from store.outputs.live_transcripts import ELSEWHERE_SECONDS, TO_BE_FOLLOWED
from store.webhooks.endpoint_leases import TO_BE_DELIVERED

_HERE = ", ".join(f"'{status}'" for status in sorted(ACTIVE - {Status.CREATED, Status.QUEUED}))
_DEMAND = text(
    f"""
    SELECT EXISTS ({WAITING} AND queue_name = :short) OR EXISTS (
               SELECT FROM sessions s JOIN runs r ON r.session_id = s.id AND r.epoch = s.epoch
               WHERE s.kind = 'voice' AND s.status IN ({_HERE}) AND r.host = :host) AS jobs,
           EXISTS ({WAITING} AND queue_name = :speech)
               OR CAST(:follows AS boolean) AND EXISTS (SELECT {TO_BE_FOLLOWED}) AS speech,
           EXISTS (SELECT {TO_BE_DELIVERED}) AS webhooks
    """
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which processes have something to do that none has taken yet.

    Attributes:
        jobs: one waits, or a session runs on this host, whose recording is to be built at once when it ends.
        speech: a job waits, or a session that runs on this host, or that no other host follows, is to be followed.
        webhooks: an event, a retry or a test is to be sent to an endpoint that nobody delivers to.
    """

    jobs: bool
    speech: bool
    webhooks: bool


class Demand:
    """What there is to do.

    Args:
        host: this machine, as its recorders call it.
        follows: whether there is an engine for sessions that run.
    """

    def __init__(self, db: Database, host: str, *, follows: bool) -> None:
        self._db = db
        self._asked = {
            "host": host,
            "follows": follows,
            "short": SHORT_QUEUE,
            "speech": SPEECH_QUEUE,
            "elsewhere_seconds": ELSEWHERE_SECONDS,
        }

    async def look(self) -> Wanted:
        """What is wanted now. Raises DatabaseError."""
        async with self._db.begin() as conn:
            row = (await conn.execute(_DEMAND, self._asked)).one()
        return Wanted(row.jobs, row.speech, row.webhooks)
