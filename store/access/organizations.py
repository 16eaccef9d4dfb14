"""Names and limits of organizations. `store.access.api_keys` makes an organization with its first key."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select, update

from store.database.database import Database
from store.database.tables import organizations


async def organization_names(db: Database) -> dict[UUID, str]:
    """The name of every organization, oldest first."""
    query = select(organizations.c.id, organizations.c.name).order_by(organizations.c.id)
    async with db.begin() as conn:
        return {row.id: row.name for row in await conn.execute(query)}


async def change_limits(db: Database, name: str, changes: Mapping[str, int | None]) -> Mapping[str, int] | None:
    """Set limits of an organization's own (names of `sessions.organizations.limits`); None: the installation's holds.

    Returns:
        All that are its own now; None: there is no such organization.
    """
    query = select(organizations.c.id, organizations.c.limits).where(organizations.c.name == name).with_for_update()
    async with db.begin() as conn:
        row = (await conn.execute(query)).one_or_none()
        if row is None:
            return None
        own: dict[str, int] = {key: limit for key, limit in {**row.limits, **changes}.items() if limit is not None}
        if changes:
            await conn.execute(update(organizations).where(organizations.c.id == row.id).values(limits=own))
    return own
