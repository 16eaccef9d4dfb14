"""The one error tree.

    ParleyError                 carries a code of the registry (`sessions.codes`)
    └── DatabaseUnavailableError  PostgreSQL didn't answer in time (`database.unavailable`, raised by `store`)

Everything else that escapes is a bug of ours and is shown as `internal`.
"""

from collections.abc import Mapping
from typing import Any


class ParleyError(Exception):
    """Something that a user is told by its code.

    Args:
        code: a code of the registry.
        message: for humans, in one sentence, without secrets and without echoing input.
        param: the offending field or parameter, dotted (`transport.type`).
        extra: additional members of the error object (`existing_session_id`, `errors`, `retry_after_seconds`).
    """

    def __init__(
        self, code: str, message: str, *, param: str | None = None, extra: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.param = param
        self.extra: dict[str, Any] = dict(extra or {})


class DatabaseUnavailableError(ParleyError):
    """PostgreSQL is away, or too slow to wait for. Nothing is known to be written."""

    def __init__(self, message: str = "the database is not available", *, retry_after_seconds: int = 1) -> None:
        super().__init__("database.unavailable", message, extra={"retry_after_seconds": retry_after_seconds})


def session_not_found() -> ParleyError:
    """What unknown sessions and sessions of other organizations are answered with alike."""
    return ParleyError("not_found", "Session not found")
