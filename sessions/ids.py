"""Identifiers: a prefix and 128 bits of UUIDv7, printed as a ULID (`sess_01J…`).

`session_<32 hex>` is the same session id spelled in hex. Both are read in any case.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from ulid import ULID
from uuid_utils import compat

from sessions.errors import ParleyError

Prefix = Literal["sess", "evt", "ue", "rec", "msg", "run", "key", "org", "req", "evc", "whe", "dlv"]

_ULID_PATTERN = "[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}"
_EPOCH = datetime.fromtimestamp(0, UTC)
_MICROSECOND = timedelta(microseconds=1)
_HEX_ID = re.compile(r"session_([0-9a-f]{32})", re.IGNORECASE)


def new_uuid(at: datetime | None = None) -> UUID:
    """A UUIDv7: unique. Lists that go by ids need those of one clock for all hosts: the database's, in `at`.

    Without `at` it has this host's time, and is increasing within this process.
    """
    return compat.uuid7() if at is None else compat.uuid7(nanoseconds=(at - _EPOCH) // _MICROSECOND * 1000)


def format_id(prefix: Prefix, value: UUID) -> str:
    """`sess_` + 26 characters of Crockford base 32."""
    return f"{prefix}_{ULID.from_uuid(value)}"


def parse_id(prefix: Prefix, text: str, *, param: str = "id") -> UUID:
    """The 128 bits behind `text`.

    Raises:
        ParleyError: `id.invalid`, naming `param`, when it is none of the accepted spellings.
    """
    if prefix == "sess" and (match := _HEX_ID.fullmatch(text)):
        return UUID(hex=match[1])
    head, _, digits = text.partition("_")
    if head.lower() == prefix and len(digits) == 26 and digits.isascii():
        try:
            return ULID.from_str(digits.upper()).to_uuid()
        except ValueError:
            pass
    message = "Invalid session ID" if prefix == "sess" else f"not a valid {prefix}_… id"
    raise ParleyError("id.invalid", message, param=param)


def format_hex_id(prefix: Prefix, value: UUID) -> str:
    """The id in hex: `session_` (or `org_`) and 32 hex digits."""
    return f"{'session' if prefix == 'sess' else prefix}_{value.hex}"


def id_pattern(prefix: Prefix) -> str:
    """A regular expression for JSON Schema: what `parse_id` reads, the prefix as it is printed."""
    hex_spelling = "|session_[0-9a-fA-F]{32}" if prefix == "sess" else ""
    return f"^({prefix}_{_ULID_PATTERN}{hex_spelling})$"


def is_hex_spelling(text: str) -> bool:
    """Whether `text` is a session id in hex."""
    return _HEX_ID.fullmatch(text) is not None


def created_at(value: UUID) -> datetime:
    """The millisecond inside a UUIDv7, as an aware UTC time (RFC 9562 §5.7)."""
    milliseconds = value.int >> 80
    return datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)
