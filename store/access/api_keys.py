"""API keys: authenticated by their SHA-256, made, listed, rotated and revoked."""

from collections.abc import Awaitable, Callable, Set
from contextlib import suppress
from datetime import datetime, timedelta
from secrets import token_hex
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import ColumnElement, RowMapping, bindparam, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.errors import DatabaseError, ParleyError
from sessions.ids import new_uuid
from sessions.organizations.key_terms import MASTER, KeyTerms
from store.access.api_key_rows import (
    ApiKey,
    Principal,
    digest,
    new_row,
    new_secret,
    to_api_key,
    to_principal,
)
from store.access.asking_key import LIVES, key_invalid, take_turn, wait_for_holders
from store.access.directed_endpoints import disable_directed
from store.database.database import Database
from store.database.tables import api_keys, organizations

__all__ = ["ApiKey", "ApiKeys", "Keep", "Principal"]

Keep = Callable[[AsyncConnection, ApiKey, SecretStr], Awaitable[None]]

_USED_EVERY = timedelta(minutes=1)
_LONGEST_KEY = 512


class ApiKeys:
    """Authenticates, makes, rotates and revokes API keys.

    Where a method takes `agent_id`, other agents' keys and master keys aren't found.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    async def authenticate(self, secret: str) -> Principal:
        """The principal of the key `secret`. Nothing is cached: a key that another process revoked is refused at once.

        Raises:
            ParleyError: `key.invalid`: unknown, revoked or expired.
            DatabaseError: the key could not be looked up.
        """
        if not 0 < len(secret) <= _LONGEST_KEY or not secret.isascii():
            raise key_invalid()
        async with self._db.begin() as conn:
            row = (await conn.execute(_LIVING, {"digest": digest(secret)})).mappings().one_or_none()
        if row is None:
            raise key_invalid()
        principal = to_principal(row)
        if row["stale_use"]:
            # `last_used_at` is for people: failing to note it is no reason to refuse a request.
            with suppress(DatabaseError):
                await self._note_use(principal.key_id)
        return principal

    async def ensure_master(self, secret: SecretStr, organization: str = "default") -> None:
        """Make `secret` a master key of the organization, unless it is a key already. A revoked key stays revoked."""
        async with self._db.begin() as conn:
            organization_id = await _organization(conn, organization)
            row = new_row(organization_id, secret, KeyTerms(name="PARLEY_MASTER_KEY"), at=await _now(conn))
            await conn.execute(upsert(api_keys).values(row).on_conflict_do_nothing(index_elements=["sha256"]))

    async def create(
        self,
        organization: str | UUID,
        terms: KeyTerms = MASTER,
        *,
        created_by: UUID | None = None,
        at_most: int = 0,
        keep: Keep | None = None,
    ) -> tuple[ApiKey, SecretStr]:
        """Make a key for an organization, given by its id or by its name. An organization of a new name is made, too.

        Args:
            created_by: the key that asks for it, valid and not replaced; None: the operator does.
            at_most: valid keys that the organization may have, this one included; 0: as many as it likes.
            keep: called in the same transaction, for example to keep the answer of an Idempotency-Key.

        Returns:
            The key and its secret, which is stored nowhere and can't be read again.

        Raises:
            ParleyError: `quota.keys` with `limit` and `used`; `key.invalid`, `key.replaced`: the asking key was revoked
                or rotated meanwhile.
        """
        secret = new_secret(terms.kind)
        async with self._db.begin() as conn:
            organization_id = (
                organization if isinstance(organization, UUID) else await _organization(conn, organization)
            )
            await take_turn(conn, organization_id, created_by, manages_keys=True)
            if at_most:
                _keep_quota("valid API keys", await _count(conn, organization_id), at_most)
            values = new_row(organization_id, secret, terms, created_by=created_by, at=await _now(conn))
            key = await _insert(conn, values)
            if keep is not None:
                await keep(conn, key, secret)
        return key, secret

    async def count(self, organization_id: UUID) -> int:
        """How many valid keys the organization has."""
        async with self._db.begin() as conn:
            return await _count(conn, organization_id)

    async def page(
        self, organization_id: UUID, *, agent_id: str | None = None, limit: int, starting_after: UUID | None
    ) -> tuple[list[ApiKey], bool]:
        """A page of the organization's keys, newest first, and whether there is more."""
        query = select(api_keys).where(*_visible(organization_id, agent_id))
        if starting_after is not None:
            query = query.where(api_keys.c.id < starting_after)
        async with self._db.begin() as conn:
            rows = (await conn.execute(query.order_by(api_keys.c.id.desc()).limit(limit + 1))).mappings().all()
        return [to_api_key(row) for row in rows[:limit]], len(rows) > limit

    async def get(self, organization_id: UUID, key_id: UUID, *, agent_id: str | None = None) -> ApiKey:
        """One key.

        Raises:
            ParleyError: `not_found`.
        """
        query = select(api_keys).where(api_keys.c.id == key_id, *_visible(organization_id, agent_id))
        async with self._db.begin() as conn:
            row = (await conn.execute(query)).mappings().one_or_none()
        return _found(row)

    async def rotate(
        self,
        organization_id: UUID,
        key_id: UUID,
        *,
        grace_seconds: int,
        agent_id: str | None = None,
        created_by: UUID | None = None,
        at_most: int = 0,
        keep: Keep | None = None,
    ) -> tuple[ApiKey, SecretStr]:
        """Make a successor with the same rights and the same expiry; the old key works for `grace_seconds` more.

        Args:
            created_by, keep: as for `create`.
            at_most: keys in their grace period that the organization may have then; 0: as many as it likes.

        Raises:
            ParleyError: `not_found`; `key.not_active` for one that is revoked or expired; `key.rotated_before`;
                `quota.keys`, `key.invalid`, `key.replaced` as for `create`.
        """
        mine = select(api_keys, LIVES.label("lives"))
        query = mine.where(api_keys.c.id == key_id, *_visible(organization_id, agent_id)).with_for_update()
        async with self._db.begin() as conn:
            await take_turn(conn, organization_id, created_by, manages_keys=True)
            row = (await conn.execute(query)).mappings().one_or_none()
            if row is None:
                raise _not_found()
            if not row["lives"]:
                raise ParleyError("key.not_active", "an API key that is revoked or expired can't be rotated")
            if row["replaced_by"] is not None:
                raise ParleyError("key.rotated_before", "the API key was rotated before: rotate its successor")
            if at_most and grace_seconds:
                used = await _count(conn, organization_id, api_keys.c.replaced_by.is_not(None))
                _keep_quota("rotated API keys in their grace period", used, at_most)
            await wait_for_holders(conn, [key_id])
            secret = new_secret(row["kind"])
            same = KeyTerms(row["kind"], row["agent_id"], row["scopes"], row["name"], row["expires_at"])
            new = new_row(organization_id, secret, same, created_by=created_by, at=await _now(conn))
            key = await _insert(conn, new)
            grace_ends = func.clock_timestamp() + timedelta(seconds=grace_seconds)
            await conn.execute(
                update(api_keys)
                .where(api_keys.c.id == key_id)
                .values(expires_at=func.least(api_keys.c.expires_at, grace_ends), replaced_by=key.id)
            )
            if keep is not None:
                await keep(conn, key, secret)
        return key, secret

    async def revoke(
        self,
        organization_id: UUID,
        key_id: UUID,
        *,
        agent_id: str | None = None,
        cascade: bool = False,
        asked_by: UUID | None = None,
    ) -> list[ApiKey]:
        """Revoke a key everywhere. One that is revoked already keeps its first `revoked_at`.

        Args:
            cascade: revoke also the keys that it made, those that these made, and so on, and disable the webhook
                endpoints that any of them directs.
            asked_by: as `created_by` of `create`.

        Returns:
            The key, then those that it made.

        Raises:
            ParleyError: `not_found`; `key.invalid`, `key.replaced` as for `create`.
        """
        one = select(api_keys.c.id).where(api_keys.c.id == key_id, *_visible(organization_id, agent_id))
        family = one.cte("family", recursive=True)
        if cascade:
            family = family.union(select(api_keys.c.id).join(family, api_keys.c.created_by == family.c.id))
        async with self._db.begin() as conn:
            await take_turn(conn, organization_id, asked_by, manages_keys=True)
            ids = (await conn.execute(select(family.c.id))).scalars().all()
            if not ids:
                raise _not_found()
            await wait_for_holders(conn, ids)
            query = (
                update(api_keys)
                .where(api_keys.c.id.in_(ids))
                .values(revoked_at=func.coalesce(api_keys.c.revoked_at, func.clock_timestamp()))
                .returning(api_keys)
            )
            rows = (await conn.execute(query)).mappings().all()
            if cascade:
                await disable_directed(conn, organization_id, ids)
        return sorted((to_api_key(row) for row in rows), key=lambda key: (key.id != key_id, key.id))

    async def list(self, organization_id: UUID, *, agent_id: str | None = None) -> list[ApiKey]:
        """Every key of the organization, revoked ones too, newest first."""
        query = select(api_keys).where(*_visible(organization_id, agent_id)).order_by(api_keys.c.id.desc())
        async with self._db.begin() as conn:
            return [to_api_key(row) for row in (await conn.execute(query)).mappings()]

    async def living(self, ids: Set[UUID]) -> set[UUID]:
        """Those of these keys that are neither revoked nor expired."""
        query = select(api_keys.c.id).where(api_keys.c.id.in_(ids), LIVES)
        async with self._db.begin() as conn:
            return set((await conn.execute(query)).scalars())

    async def _note_use(self, key_id: UUID) -> None:
        async with self._db.begin() as conn:
            await conn.execute(_NOTE_USE, {"key_id": key_id, "every": _USED_EVERY})


_LIVING = (
    select(
        api_keys.c.id,
        api_keys.c.organization_id,
        api_keys.c.kind,
        api_keys.c.agent_id,
        api_keys.c.scopes,
        api_keys.c.expires_at,
        api_keys.c.replaced_by,
        organizations.c.limits,
        func.clock_timestamp().label("now"),
        or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < func.clock_timestamp() - _USED_EVERY).label(
            "stale_use"
        ),
    )
    .join_from(api_keys, organizations)
    .where(LIVES)
    .where(api_keys.c.sha256 == bindparam("digest"))
)

# SKIP LOCKED: requests that use one key at the same time don't wait for each other.
_NOTE_USE = text(
    """
    UPDATE api_keys SET last_used_at = clock_timestamp()
    WHERE id = (SELECT id FROM api_keys WHERE id = :key_id FOR UPDATE SKIP LOCKED)
        AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - :every)
    """
)


async def _now(conn: AsyncConnection) -> datetime:
    now: datetime = (await conn.execute(select(func.clock_timestamp()))).scalar_one()
    return now


async def _organization(conn: AsyncConnection, name: str) -> UUID:
    new = upsert(organizations).values(
        id=new_uuid(await _now(conn)), name=name, default_agent_id=f"agent_{token_hex(16)}"
    )
    await conn.execute(new.on_conflict_do_nothing(index_elements=["name"]))
    found: UUID = (await conn.execute(select(organizations.c.id).where(organizations.c.name == name))).scalar_one()
    return found


async def _insert(conn: AsyncConnection, values: dict[str, object]) -> ApiKey:
    return to_api_key((await conn.execute(insert(api_keys).values(values).returning(api_keys))).mappings().one())


async def _count(conn: AsyncConnection, organization_id: UUID, *only: ColumnElement[bool]) -> int:
    living = select(func.count()).select_from(api_keys).where(api_keys.c.organization_id == organization_id, LIVES)
    return int((await conn.execute(living.where(*only))).scalar_one())


def _keep_quota(what: str, used: int, at_most: int) -> None:
    """Refuse one more; the organization's turn, which the transaction has, keeps the count true."""
    if used >= at_most:
        raise ParleyError(
            "quota.keys",
            f"the organization may have {at_most} {what}, and has them",
            extra={"limit": at_most, "used": used},
        )


def _visible(organization_id: UUID, agent_id: str | None) -> list[ColumnElement[bool]]:
    conditions = [api_keys.c.organization_id == organization_id]
    return conditions if agent_id is None else [*conditions, api_keys.c.agent_id == agent_id]


def _found(row: RowMapping | None) -> ApiKey:
    if row is None:
        raise _not_found()
    return to_api_key(row)


def _not_found() -> ParleyError:
    return ParleyError("not_found", "there is no such API key")
