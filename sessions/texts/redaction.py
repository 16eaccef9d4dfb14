"""One redactor for everything that leaves the process as text: logs, exceptions, events, error messages.

LiveKit's SDK puts the whole JWT into `ConnectError`'s text and into its own log lines on a 401 (measured), so nothing
that comes from there may be printed as it is. PostgreSQL quotes the row that broke a constraint: what customers said
would outlive its deletion in a log.
"""

import re
from collections.abc import Mapping
from typing import Any

REDACTED = "[redacted]"

# Customers write what is searched here: no alternative may look at the same text again from each of its characters.
_SECRETS = re.compile(
    r"eyJ[A-Za-z0-9_-]{6,}(?:(?:\.|%2[eE])[A-Za-z0-9_-]*){0,4}"  # a JWT (RFC 7519), whole or cut off
    r"|parley_(?:master|agent)_[A-Za-z0-9_-]+"
    r"|(?P<scheme>[Bb]earer\s+)[^\s\"',;<][^\s\"',;]*"  # RFC 6750; what is in <> is a placeholder
    r"|(?P<param>(?:access_token|worker_token|api_secret|signature|X-Amz-Signature|X-Amz-Credential)=)[^\s&\"']+"
    r"|(?P<phrase>shared_key[\"']?\s*[:=]\s*)"  # in a URL, a repr or JSON: a passphrase looks like anything
    r"(?:b?'(?:[^'\\]|\\.)*'|b?\"(?:[^\"\\]|\\.)*\"|[^\s&\"',)]+)"
    r"|(?P<userinfo>[a-z0-9+.-]://[^\s/@:\"']*:)[^\s/@\"']+(?=@)"
    r"|(?P<detail>DETAIL:  )(?s:.+?)(?=\n(?:\[SQL|HINT:|CONTEXT:)|\n\n(?:During|The above)|\Z)"
)
_SECRET_NAMES = frozenset(
    {
        *("worker_token", "shared_key", "token", "authorization"),
        *("api_secret", "secret_key", "master_key", "password", "access_token"),
    }
)


def _replace(match: re.Match[str]) -> str:
    return (
        match["scheme"] or match["param"] or match["phrase"] or match["userinfo"] or match["detail"] or ""
    ) + REDACTED


def redact(text: str) -> str:
    """`text` with every token, key, signature, password and row of the database replaced by `[redacted]`."""
    return _SECRETS.sub(_replace, text)


def redact_value(value: Any) -> Any:
    """`value` with its strings redacted, at any depth; members named like a secret are replaced whole."""
    if isinstance(value, str):
        return redact(value)
    if value is None or isinstance(value, (int, float)):  # most values; asking for a Mapping goes through many classes
        return value
    if isinstance(value, bytes):
        return redact(value.decode("utf-8", "replace"))
    if isinstance(value, Mapping):
        return {
            key: REDACTED if str(key).lower() in _SECRET_NAMES and item is not None else redact_value(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact_value(item) for item in value]
    if isinstance(value, BaseException):
        return redact(f"{type(value).__name__}: {value}")
    return value
