"""Who asks, and whether they may."""

import hmac
from hashlib import sha256

from aiohttp import hdrs, web
from pydantic import SecretStr

from sessions.errors import ParleyError
from store.access.api_keys import ApiKeys, Principal
from store.access.asking_key import key_invalid

# The scopes of which any one is enough, where it isn't the very scope that an operation asks for.
_INCLUDES = {"sessions:read_metadata": frozenset({"sessions:read_metadata", "sessions:read"})}


async def authenticate(request: web.Request, api_keys: ApiKeys) -> Principal:
    """The holder of the key in `Authorization: Bearer <key>`.

    Raises:
        ParleyError: `key.missing`, `key.invalid`.
    """
    return await api_keys.authenticate(_sent_key(request))


def is_operator(request: web.Request, operator_key: SecretStr | None) -> bool:
    """Whether the request has the key of whoever runs the installation; how long it takes says nothing of that key.

    Raises:
        ParleyError: `key.missing`, `key.invalid`: it has none, or nothing that could be one.
    """
    sent = sha256(_sent_key(request).encode()).digest()
    known = None if operator_key is None else sha256(operator_key.get_secret_value().encode()).digest()
    return known is not None and hmac.compare_digest(sent, known)


def _sent_key(request: web.Request) -> str:
    values = request.headers.getall(hdrs.AUTHORIZATION, [])
    if not values:
        raise ParleyError("key.missing", "send Authorization: Bearer <API key>")
    scheme, _, key = values[0].partition(" ")
    key = key.strip()
    if len(values) > 1 or scheme.lower() != "bearer" or not key:
        raise ParleyError("key.missing", "send one Authorization header: Bearer <API key>")
    if not key.isascii() or not key.isprintable():
        raise key_invalid()
    return key


def has_scope(principal: Principal, scope: str) -> bool:
    """Whether the principal has `scope`, or one that includes it."""
    return bool(principal.scopes & _INCLUDES.get(scope, frozenset({scope})))


def require_scope(principal: Principal, scope: str) -> None:
    """Let the principal pass if it has `scope`, or one that includes it.

    Raises:
        ParleyError: `scope.missing`.
    """
    if not has_scope(principal, scope):
        raise scope_missing(scope)


def scope_missing(scope: str) -> ParleyError:
    """403 that names what the key lacks."""
    return ParleyError("scope.missing", f"the API key lacks the scope {scope}", extra={"required_scope": scope})
