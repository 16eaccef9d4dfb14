"""What an API key can be and do: its kinds, its scopes, and how long a rotated key goes on working."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

KeyKind = Literal["master", "agent"]
Scope = Literal[
    "sessions:read",
    "sessions:read_metadata",
    "sessions:write",
    "sessions:delete",
    "usage:read",
    "keys:manage",
    "webhooks:manage",
]
SCOPES: frozenset[str] = frozenset(get_args(Scope))

DEFAULT_GRACE_SECONDS = 3600  # both keys work for so long, unless the caller says otherwise
MAX_GRACE_SECONDS = 30 * 86400


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """What a key is made for; a rotated key's successor has the same.

    Raises ValueError for an unknown scope, or an agent key without an agent.

    Attributes:
        agent_id: the only agent of an agent key.
        scopes: of an agent key; a master key may do everything.
        expires_at: None: never.
    """

    kind: KeyKind = "master"
    agent_id: str | None = None
    scopes: Collection[str] = ()
    name: str | None = None
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        if not self.granted <= SCOPES or (self.kind == "agent") != (self.agent_id is not None):
            raise ValueError("scopes must be known ones, and agent keys are for one agent")

    @property
    def granted(self) -> frozenset[str]:
        """The scopes that it has."""
        return SCOPES if self.kind == "master" else frozenset(self.scopes)


MASTER = KeyTerms()
"""A master key without a name, for ever."""
