"""Which process of a worker records a session."""

import psutil
import psycopg

from sessions.ids import parse_id
from tests.support.running.stack import Process, Stack


async def recorder_of(stack: Stack, session_id: str, worker: Process) -> psutil.Process:
    """The process that records the session, by the owner that its run carries."""
    async with await psycopg.AsyncConnection.connect(stack.database_url) as conn:
        rows = await conn.execute(
            "SELECT owner FROM runs WHERE session_id = %s ORDER BY epoch DESC LIMIT 1", [parse_id("sess", session_id)]
        )
        (owner,) = await rows.fetchone() or (None,)
    return worker.child(str(owner))
