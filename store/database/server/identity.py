"""Which database this is: the same for every process that uses it, however each of them spells its URL."""

from sqlalchemy import text

from store.database.database import Database

# Both parts survive a restart and a failover; every role may read them.
_IDENTITY = text(
    "SELECT system_identifier, (SELECT oid FROM pg_database WHERE datname = current_database())"
    " FROM pg_control_system()"
)


async def database_identity(db: Database) -> str:
    """A text of digits and a dash, fit for an object's key."""
    async with db.begin() as conn:
        system_identifier, oid = (await conn.execute(_IDENTITY)).one()
    return f"{system_identifier}-{oid}"
