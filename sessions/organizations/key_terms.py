"""What an API key can be and do: its kinds, its scopes, and how long a rotated key goes on working."""

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
