"""How many bytes of answers an organization's idempotency keys keep: sums by the hour, exact but for what is under way.

An answer counts for as long as keys are kept, also when it was erased since then. Sums of old hours are left out by
time, and deleted with the keys (`store.jobs.purge`).
"""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.jobs.purge import KEPT_HOURS

ROW_BYTES = 512  # what a key takes besides its answer

_WRITERS = 64
_ADD = text(
    f"""
    INSERT INTO answer_bytes AS known (organization_id, hour, writer, bytes)
    VALUES (:organization_id, date_trunc('hour', clock_timestamp(), 'UTC'), pg_backend_pid() % {_WRITERS}, :bytes)
    ON CONFLICT (organization_id, hour, writer) DO UPDATE SET bytes = known.bytes + excluded.bytes
    """
)
_SUM = text(
    f"""
    SELECT coalesce(sum(bytes), 0)::bigint FROM answer_bytes
    WHERE organization_id = :organization_id AND hour > clock_timestamp() - interval '{KEPT_HOURS} hours'
    """
)


async def count_answer(conn: AsyncConnection, organization_id: UUID, body: bytes | None) -> None:
    """Count an answer that this transaction keeps."""
    values = {"organization_id": organization_id, "bytes": len(body or b"") + ROW_BYTES}
    await conn.execute(_ADD, values)


async def kept_answer_bytes(conn: AsyncConnection, organization_id: UUID) -> int:
    """How many bytes of answers the organization has."""
    return int((await conn.execute(_SUM, {"organization_id": organization_id})).scalar_one())
