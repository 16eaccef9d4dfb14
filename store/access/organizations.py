"""Reads the names of organizations. `store.access.api_keys` makes an organization with its first key."""

from uuid import UUID

from sqlalchemy import select

from store.database.database import Database
from store.database.tables import organizations


async def organization_names(db: Database) -> dict[UUID, str]:
    """The name of every organization, oldest first."""
    query = select(organizations.c.id, organizations.c.name).order_by(organizations.c.id)
    async with db.begin() as conn:
        return {row.id: row.name for row in await conn.execute(query)}
