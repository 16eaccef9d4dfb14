"""API keys: `parley_master_` or `parley_agent_` and 256 random bits; only their SHA-256 is kept."""

import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import RowMapping, bindparam, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.errors import DatabaseUnavailableError, ParleyError
from sessions.ids import new_uuid
from store.database import Database
from store.tables import api_keys, organizations

KeyKind = Literal["master", "agent"]

SCOPES = frozenset(
    {"sessions:read", "sessions:read_metadata", "sessions:write", "sessions:delete", "usage:read", "keys:manage"}
)

_CACHE_SECONDS = 5.0  # a revoked key works no longer than this
_CACHE_SIZE = 4096
_USED_EVERY = timedelta(minutes=1)
_LONGEST_KEY = 512
_SHOWN_FROM = 32  # characters of a key whose last four may be shown


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. A master key's principal has every scope; an agent key's is bound to `agent_id`."""

    organization_id: UUID
    key_id: UUID
    kind: KeyKind
    agent_id: str | None
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is shown after its creation: without its secret."""

    id: UUID
    organization_id: UUID
    kind: KeyKind
    agent_id: str | None
    name: str | None
    scopes: frozenset[str]
    prefix: str
    last_four: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class ApiKeys:
    """Authenticates, makes and revokes API keys."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[bytes, tuple[float, Principal]] = {}

    async def authenticate(self, secret: str) -> Principal:
        """Who holds `secret`: one indexed query, or none within 5 s of the last.

        Raises:
            ParleyError: `key.invalid`: unknown, revoked or expired.
            DatabaseUnavailableError: it can't be told.
        """
        if not 0 < len(secret) <= _LONGEST_KEY or not secret.isascii():
            raise _invalid()
        digest = _digest(secret)
        known = self._known.get(digest)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        self._known.pop(digest, None)
        asked_at = time.monotonic()
        async with self._db.begin() as conn:
            row = (await conn.execute(_LIVING, {"digest": digest})).mappings().one_or_none()
        if row is None:
            raise _invalid()
        principal = _principal(row)
        self._remember(digest, asked_at, principal)
        if row["stale_use"]:
            with suppress(DatabaseUnavailableError):  # a note for humans is no reason to refuse a request
                await self._note_use(principal.key_id)
        return principal

    async def ensure_master(self, secret: SecretStr, organization: str = "default") -> None:
        """Make `secret` a master key of the organization, unless it is a key already. A revoked key stays revoked."""
        async with self._db.begin() as conn:
            organization_id = await _organization(conn, organization)
            await conn.execute(
                upsert(api_keys)
                .values(_new_row(organization_id, secret.get_secret_value(), kind="master", name="PARLEY_MASTER_KEY"))
                .on_conflict_do_nothing(index_elements=["sha256"])
            )

    async def create(
        self,
        organization: str,
        *,
        kind: KeyKind = "master",
        agent_id: str | None = None,
        scopes: Iterable[str] = (),
        name: str | None = None,
        expires_at: datetime | None = None,
    ) -> tuple[ApiKey, SecretStr]:
        """A new key of the organization named `organization`, which is made when it is new.

        Returns:
            The key, and its secret, which can't be had again.

        Raises:
            ValueError: an unknown scope, or an agent key without an agent.
        """
        scopes = frozenset(scopes)
        if not scopes <= SCOPES or (kind == "agent") != (agent_id is not None):
            raise ValueError("scopes must be known ones, and agent keys are for one agent")
        secret = f"parley_{kind}_{secrets.token_urlsafe(32)}"
        async with self._db.begin() as conn:
            organization_id = await _organization(conn, organization)
            values = _new_row(
                organization_id, secret, kind=kind, agent_id=agent_id, scopes=scopes, name=name, expires_at=expires_at
            )
            row = (await conn.execute(insert(api_keys).values(values).returning(api_keys))).mappings().one()
        return _api_key(row), SecretStr(secret)

    async def list(self, organization_id: UUID) -> list[ApiKey]:
        """Every key of the organization, revoked ones too, newest first."""
        query = select(api_keys).where(api_keys.c.organization_id == organization_id).order_by(api_keys.c.id.desc())
        async with self._db.begin() as conn:
            return [_api_key(row) for row in (await conn.execute(query)).mappings()]

    async def revoke(self, organization_id: UUID, key_id: UUID) -> ApiKey:
        """The key, which works nowhere any more in 5 s; revoked again it keeps its first `revoked_at`.

        Raises:
            ParleyError: `not_found`.
        """
        query = (
            update(api_keys)
            .where(api_keys.c.id == key_id, api_keys.c.organization_id == organization_id)
            .values(revoked_at=func.coalesce(api_keys.c.revoked_at, func.clock_timestamp()))
            .returning(api_keys)
        )
        async with self._db.begin() as conn:
            row = (await conn.execute(query)).mappings().one_or_none()
        self._known.clear()
        if row is None:
            raise ParleyError("not_found", "there is no such API key")
        return _api_key(row)

    def _remember(self, digest: bytes, asked_at: float, principal: Principal) -> None:
        if len(self._known) >= _CACHE_SIZE:
            self._known.clear()
        self._known[digest] = (asked_at + _CACHE_SECONDS, principal)

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
        or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < func.clock_timestamp() - _USED_EVERY).label(
            "stale_use"
        ),
    )
    .where(api_keys.c.revoked_at.is_(None))
    .where(or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > func.clock_timestamp()))
    .where(api_keys.c.sha256 == bindparam("digest"))
)

# SKIP LOCKED: a burst of requests with one key doesn't queue up for its row.
_NOTE_USE = text(
    """
    UPDATE api_keys SET last_used_at = clock_timestamp()
    WHERE id = (SELECT id FROM api_keys WHERE id = :key_id FOR UPDATE SKIP LOCKED)
        AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - :every)
    """
)


async def _organization(conn: AsyncConnection, name: str) -> UUID:
    new = upsert(organizations).values(id=new_uuid(), name=name, default_agent_id=f"agent_{secrets.token_hex(16)}")
    await conn.execute(new.on_conflict_do_nothing(index_elements=["name"]))
    found: UUID = (await conn.execute(select(organizations.c.id).where(organizations.c.name == name))).scalar_one()
    return found


def _new_row(
    organization_id: UUID,
    secret: str,
    *,
    kind: KeyKind,
    agent_id: str | None = None,
    scopes: Iterable[str] = (),
    name: str | None = None,
    expires_at: datetime | None = None,
) -> dict[str, object]:
    return {
        "id": new_uuid(),
        "organization_id": organization_id,
        "kind": kind,
        "agent_id": agent_id,
        "name": name,
        "scopes": sorted(SCOPES if kind == "master" else scopes),
        "sha256": _digest(secret),
        "prefix": f"parley_{kind}_",
        "last_four": secret[-4:] if len(secret) >= _SHOWN_FROM else "",
        "expires_at": expires_at,
    }


def _principal(row: RowMapping) -> Principal:
    scopes = SCOPES if row["kind"] == "master" else frozenset(row["scopes"])
    return Principal(row["organization_id"], row["id"], row["kind"], row["agent_id"], scopes)


def _api_key(row: RowMapping) -> ApiKey:
    values = {name: row[name] for name in ApiKey.__slots__}
    return ApiKey(**{**values, "scopes": frozenset(row["scopes"])})


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _invalid() -> ParleyError:
    return ParleyError("key.invalid", "the API key is unknown, revoked or expired")
