"""Removes deliveries that are long over, those of deleted endpoints, and answers to events of an erased session."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.database.database import Database

KEPT_DAYS = 30
_BATCH = 1000

_OVER = text(
    f"""
    DELETE FROM webhook_deliveries WHERE id IN (
        SELECT id FROM webhook_deliveries
        WHERE state <> 'pending' AND finished_at < clock_timestamp() - make_interval(days => {KEPT_DAYS})
        ORDER BY finished_at LIMIT {_BATCH} FOR UPDATE SKIP LOCKED
    )
    """
)
_OF_DELETED = text(
    f"""
    DELETE FROM webhook_deliveries WHERE id IN (
        SELECT d.id FROM webhook_endpoints e JOIN webhook_deliveries d ON d.endpoint_id = e.id
        WHERE e.status = 'deleted' LIMIT {_BATCH} FOR UPDATE OF d SKIP LOCKED
    )
    """
)
_DELETED = text(
    """
    DELETE FROM webhook_endpoints e
    WHERE e.status = 'deleted' AND NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.endpoint_id = e.id)
    """
)
_ERASE_ANSWERS = text(
    """
    UPDATE webhook_attempts SET answer = NULL
    WHERE answer IS NOT NULL
        AND delivery_id IN (SELECT id FROM webhook_deliveries WHERE session_id = CAST(:session_id AS uuid))
    """
)


async def clear_deliveries(db: Database) -> int:
    """Remove what is due, in short transactions; how many deliveries went."""
    total = 0
    for statement in (_OVER, _OF_DELETED):
        gone = _BATCH
        while gone == _BATCH:
            async with db.begin() as conn:
                gone = (await conn.execute(statement)).rowcount
            total += gone
    async with db.begin() as conn:
        await conn.execute(_DELETED)
    return total


async def erase_webhook_answers(conn: AsyncConnection, session_id: UUID) -> None:
    """Forget what receivers answered to a session's events: it may quote them."""
    await conn.execute(_ERASE_ANSWERS, {"session_id": session_id})
