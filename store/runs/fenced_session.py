"""The row of a session, locked for a write of one of its runs."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.lifecycle.locked_session import LockedSession, lock_session
from store.runs.fence import Fence, Replaced

_OWNED = text("SELECT FROM runs WHERE session_id = :session_id AND epoch = :epoch AND owner = :owner")


async def lock_fenced_session(conn: AsyncConnection, fence: Fence) -> LockedSession:
    """The session of a run, locked until the transaction ends.

    Raises:
        Replaced: another run has the session, or this one was never claimed.
    """
    locked = await lock_session(conn, fence.session_id)
    if locked is None or locked.epoch != fence.epoch:
        raise Replaced(fence)
    if (await conn.execute(_OWNED, fence.parameters)).one_or_none() is None:
        raise Replaced(fence)
    return locked
