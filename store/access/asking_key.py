"""A key that asks for something lasting has to be valid when that is made, not only when its request was let in.

Making and revoking keys, and steering webhook endpoints, take turns within an organization: a revocation sees whatever
was made before it, and whatever comes after it is refused. Sessions don't take turns: they are made side by side, and a
revocation waits for those that its keys are making.
"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.errors import ParleyError
from store.database.tables import api_keys, organizations

LIVES = api_keys.c.revoked_at.is_(None) & or_(
    api_keys.c.expires_at.is_(None), api_keys.c.expires_at > func.clock_timestamp()
)

_LOCK_CLASS = 0x4B  # of advisory locks with two keys
_HOLD_TOGETHER = text("SELECT pg_advisory_xact_lock_shared(:lock_class, :key)")
_HOLD_ALONE = text(
    """
    SELECT pg_advisory_xact_lock(:lock_class, key)
    FROM (SELECT unnest(CAST(:keys AS integer[])) AS key ORDER BY key) AS one
    """
)


async def take_turn(
    conn: AsyncConnection, organization_id: UUID, asked_by: UUID | None, *, manages_keys: bool = False
) -> None:
    """Keep others of the organization from managing keys and endpoints until this transaction ends.

    Args:
        asked_by: the key that asks; None: the operator does.
        manages_keys: one that was rotated may not.

    Raises:
        ParleyError: `key.invalid`: the key was revoked or has expired meanwhile; `key.replaced`.
    """
    own = select(organizations.c.id).where(organizations.c.id == organization_id)
    await conn.execute(own.with_for_update(key_share=True))
    if asked_by is not None and await _replaced_by(conn, asked_by) is not None and manages_keys:
        raise key_replaced()


async def hold_key(conn: AsyncConnection, asked_by: UUID | None) -> None:
    """Keep the key from being revoked until this transaction ends; others may hold it, too.

    Raises:
        ParleyError: `key.invalid`: it was revoked or has expired meanwhile.
    """
    if asked_by is not None:
        await conn.execute(_HOLD_TOGETHER, {"lock_class": _LOCK_CLASS, "key": _number(asked_by)})
        await _replaced_by(conn, asked_by)


async def wait_for_holders(conn: AsyncConnection, keys: Iterable[UUID]) -> None:
    """Return when nobody holds these keys; who wants to hold one waits for this transaction."""
    await conn.execute(_HOLD_ALONE, {"lock_class": _LOCK_CLASS, "keys": [_number(key) for key in keys]})


def key_invalid() -> ParleyError:
    """401 for a key that doesn't authenticate anybody, or does so no more."""
    return ParleyError("key.invalid", "the API key is unknown, revoked or expired")


def key_replaced() -> ParleyError:
    """403 for a key in its grace period that asks to manage keys."""
    return ParleyError("key.replaced", "the API key was rotated: the one that took its place manages keys")


async def _replaced_by(conn: AsyncConnection, key_id: UUID) -> UUID | None:
    query = select(api_keys.c.replaced_by).where(api_keys.c.id == key_id, LIVES)
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise key_invalid()
    replaced_by: UUID | None = row.replaced_by
    return replaced_by


def _number(key_id: UUID) -> int:
    return key_id.int & 0x7FFF_FFFF
