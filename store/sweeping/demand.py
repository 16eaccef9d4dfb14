"""What there is to do for the processes of a worker that run only while there is something.

Asked twice a second by each worker that lacks one of them: each part reads an index that holds what is due, or the few
sessions that are followed live.
"""

from dataclasses import dataclass

from sqlalchemy import text

from store.database.database import Database
from store.jobs.jobs import SPEECH_QUEUE, WAITING
from store.outputs.live_transcripts import ELSEWHERE_SECONDS, TO_BE_FOLLOWED
from store.webhooks.endpoint_leases import TO_BE_DELIVERED

_DEMAND = text(
    f"""
    SELECT EXISTS ({WAITING}) OR CAST(:follows AS boolean) AND EXISTS (SELECT {TO_BE_FOLLOWED}) AS speech,
           EXISTS (SELECT {TO_BE_DELIVERED}) AS webhooks
    """
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which processes have something to do that none has taken yet.

    Attributes:
        speech: a job waits, or a session that runs on this host, or that no other host follows, is to be followed.
        webhooks: an event, a retry or a test is to be sent to an endpoint that nobody delivers to.
    """

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
            "queue": SPEECH_QUEUE,
            "elsewhere_seconds": ELSEWHERE_SECONDS,
        }

    async def look(self) -> Wanted:
        """What is wanted now. Raises DatabaseError."""
        async with self._db.begin() as conn:
            row = (await conn.execute(_DEMAND, self._asked)).one()
        return Wanted(row.speech, row.webhooks)
