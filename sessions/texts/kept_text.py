"""Texts of others, as PostgreSQL can keep them: it refuses NUL, in text and in JSON, and long values in an index."""

import hashlib

_LONGEST_ID_BYTES = 1024  # an entry of an index holds 2704 bytes, all its columns together


def kept_text(text: str) -> str:
    """The text with U+FFFD in place of each NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def kept_id(text: str) -> str:
    """`kept_text` for an id; one that is too long for an index is replaced by its SHA-256."""
    encoded = text.encode()
    return kept_text(text) if len(encoded) <= _LONGEST_ID_BYTES else f"sha256:{hashlib.sha256(encoded).hexdigest()}"
