"""What goes wrong between a client and the API, in sentences, with the exit codes that docs/guides/cli.md lists."""

from collections.abc import Mapping
from typing import Any

from parley.command_error import CommandError
from sessions.codes import CODES

EXIT_REFUSED = 1
EXIT_UNREACHABLE = 3
EXIT_NOT_ALLOWED = 4
EXIT_NOT_FOUND = 5

_EXIT_BY_STATUS = {401: EXIT_NOT_ALLOWED, 403: EXIT_NOT_ALLOWED, 404: EXIT_NOT_FOUND}
_TEMPORARY = frozenset({429, 502, 503, 504})


class ApiRefusedError(CommandError):
    """The API answered with an error.

    Attributes:
        code: of the registry, such as `not_found`.
        status: HTTP's.
        retry_after_seconds: how long the API asks to wait; None when it doesn't say.
    """

    def __init__(self, status: int, error: Mapping[str, Any], retry_after_seconds: float | None) -> None:
        self.code = str(error.get("code"))
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        super().__init__(_sentence(self.code, status, error), exit_code=_EXIT_BY_STATUS.get(status, EXIT_REFUSED))

    @property
    def is_temporary(self) -> bool:
        """Whether the same request may succeed in a moment."""
        return self.status in _TEMPORARY


class UnreachableError(CommandError):
    """Nobody answered, or not with HTTP.

    Attributes:
        connected: whether a connection was made at all.
    """

    def __init__(self, base_url: str, reason: str, *, connected: bool) -> None:
        self.connected = connected
        words = "lost the connection to" if connected else "can't reach"
        super().__init__(
            f"{words} {base_url}: {reason}. PARLEY_URL, or `parley login`, says where Parley's API is",
            exit_code=EXIT_UNREACHABLE,
        )


class NotParleyError(CommandError):
    """Something else than Parley's API answered."""

    def __init__(self, base_url: str, what: str) -> None:
        super().__init__(
            f"{base_url} does not answer as Parley's API does ({what}). Is PARLEY_URL right?",
            exit_code=EXIT_UNREACHABLE,
        )


def _sentence(code: str, status: int, error: Mapping[str, Any]) -> str:
    """The code, what is wrong, and what to do."""
    message = str(error.get("message") or "").rstrip(".")
    param = f" ({error['param']})" if error.get("param") else ""
    told = f"{code}: {message}{param}." if message else f"{code}{param}."
    # Help that sends its reader to `param` says nothing that isn't there already.
    if (known := CODES.get(code)) is not None and known.help.rstrip(".") != message and "`param`" not in known.help:
        told += f" {known.help}"
    if status >= 500 and error.get("request_id"):
        told += f" (request {error['request_id']})"
    return told
