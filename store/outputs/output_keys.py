"""Where outputs lie in the object storage: never where another writer puts other bytes.

Two processes may make the same output: one that was thought dead goes on. What they make may differ, as the storage may
have lost a segment in between. So the key of an output is told by its bytes. The database notes which one counts, and
what nobody noted is removed.
"""

import hashlib
from uuid import UUID

from sessions.ids import format_id

RECORDING = "recording"
TRANSCRIPT = "transcript"
SUMMARY = "summary"
FILES = "files"

_DIGITS = 32  # of the digest, in a key


def output_folder(session_id: UUID, kind: str, data: bytes, run_id: UUID | None = None) -> str:
    """The folder of an output that is made of, or told by, these bytes.

    Args:
        kind: one of this module's.
        run_id: of an output that may be asked for again and again: what one run leaves no other run may note.
    """
    told = hashlib.sha256((b"" if run_id is None else run_id.bytes) + data).hexdigest()[:_DIGITS]
    return f"{session_folder(session_id)}/{kind}/{told}"


def beside(object_key: str, name: str) -> str:
    """The key of what lies in the same folder under that name."""
    return f"{object_key.rpartition('/')[0]}/{name}"


def session_folder(session_id: UUID) -> str:
    """Where everything lies that is made of a session."""
    return f"sessions/{format_id('sess', session_id)}"


def segment_folder(session_id: UUID) -> str:
    """Where the session's segments lie."""
    return f"spool/{format_id('sess', session_id)}"
