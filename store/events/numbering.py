"""Numbering: events whose transactions have committed move from the inbox into their organizations' logs, in order.

Whoever reads a log numbers first, and the sweeper does once a second. The function `number_events` holds one lock until
what it has numbered is committed, so that positions become visible in their order and a reader who goes on behind one
misses nothing, however late a transaction commits. docs/decisions says why it is done so.
"""

from sqlalchemy import text

from store.database.database import Database

_AT_ONCE = 1000
_NUMBER = text("SELECT number_events(:most)")
# Rows that another one is just numbering are still there, and are waited for.
PENDING = "EXISTS (SELECT FROM event_inbox)"


async def number_events(db: Database) -> int:
    """Number what has been committed, in short transactions of its own.

    Returns:
        How many events were numbered here.

    Raises:
        DatabaseUnavailableError: it is not known whether the last thousand were.
    """
    total = 0
    while True:
        async with db.begin() as conn:
            numbered: int = (await conn.execute(_NUMBER, {"most": _AT_ONCE})).scalar_one()
        total += numbered
        if numbered < _AT_ONCE:
            return total
