"""What an API key is: its values, and the row that keeps its SHA-256 instead of itself."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import RowMapping

from sessions.ids import new_uuid
from sessions.organizations.key_terms import SCOPES, KeyKind, KeyTerms

_SHOWN_FROM = 32  # characters of a key whose last four may be shown


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sent a request. A master key's principal has every scope; an agent key's is bound to `agent_id`.

    `asked_at` is the database's time when the key was looked up: the instant of the request, whatever clock its host
    has. `expires_at` is the key's; None: never. `replaced`: the key was rotated and works on for its grace period.
    `own_limits`: those of its organization that differ from the installation's.
    """

    organization_id: UUID
    key_id: UUID
    kind: KeyKind
    agent_id: str | None
    scopes: frozenset[str]
    asked_at: datetime = field(compare=False)
    expires_at: datetime | None = None
    replaced: bool = False
    own_limits: Mapping[str, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is shown after its creation, without its secret.

    Attributes:
        created_by: the key that made it, by creation or by rotation; None: the operator did.
        replaced_by: the key that took its place when it was rotated last.
    """

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
    created_by: UUID | None
    replaced_by: UUID | None


def new_secret(kind: KeyKind) -> SecretStr:
    """`parley_master_` or `parley_agent_` and 256 random bits in 43 URL-safe characters."""
    return SecretStr(f"parley_{kind}_{secrets.token_urlsafe(32)}")


def digest(secret: str) -> bytes:
    """The SHA-256 of a key, which is all that is stored of it."""
    return sha256(secret.encode()).digest()


def new_row(
    organization_id: UUID, secret: SecretStr, terms: KeyTerms, *, created_by: UUID | None = None, at: datetime
) -> dict[str, object]:
    """The columns of a new key that is made at that time of the database."""
    text = secret.get_secret_value()
    return {
        "id": new_uuid(at),
        "organization_id": organization_id,
        "kind": terms.kind,
        "agent_id": terms.agent_id,
        "name": terms.name,
        "scopes": sorted(terms.granted),
        "sha256": digest(text),
        "prefix": f"parley_{terms.kind}_",
        "last_four": text[-4:] if len(text) >= _SHOWN_FROM else "",
        "expires_at": terms.expires_at,
        "created_by": created_by,
    }


def to_principal(row: RowMapping) -> Principal:
    """The principal of a row's key."""
    scopes = SCOPES if row["kind"] == "master" else frozenset(row["scopes"])
    return Principal(
        row["organization_id"],
        row["id"],
        row["kind"],
        row["agent_id"],
        scopes,
        row["now"],
        row["expires_at"],
        replaced=row["replaced_by"] is not None,
        own_limits=row["limits"],
    )


def to_api_key(row: RowMapping) -> ApiKey:
    """The value of a row."""
    values = {name: row[name] for name in ApiKey.__slots__}
    return ApiKey(**{**values, "scopes": frozenset(row["scopes"])})
