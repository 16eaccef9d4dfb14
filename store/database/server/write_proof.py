"""Proof that the database takes writes: a standby, and a writer that was demoted, answer reads all the same."""

from uuid import uuid4

from sqlalchemy import text

from store.database.database import Database

# Any table would do; nobody waits for a row that only this transaction knows.
_WRITE = text("INSERT INTO sweeps (concern, swept_at) VALUES (:concern, clock_timestamp())")


async def prove_writer(db: Database) -> None:
    """Write a row, and roll it back.

    Raises:
        DatabaseError: the database is away, takes no writes, or lets this role write nothing.
    """
    async with db.begin() as conn:
        await conn.execute(_WRITE, {"concern": f"proof-{uuid4()}"})
        await conn.rollback()
