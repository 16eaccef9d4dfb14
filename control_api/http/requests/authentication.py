"""Who asks, and whether they may."""

from aiohttp import hdrs, web

from sessions.errors import ParleyError
from store.access.api_keys import ApiKeys, Principal

# The scopes of which any one is enough, where it isn't the very scope that an operation asks for.
_INCLUDES = {"sessions:read_metadata": frozenset({"sessions:read_metadata", "sessions:read"})}


async def authenticate(request: web.Request, api_keys: ApiKeys) -> Principal:
    """The holder of the key in `Authorization: Bearer <key>`.

    Raises:
        ParleyError: `key.missing`, `key.invalid`.
    """
    values = request.headers.getall(hdrs.AUTHORIZATION, [])
    if not values:
        raise ParleyError("key.missing", "send Authorization: Bearer <API key>")
    scheme, _, key = values[0].partition(" ")
    key = key.strip()
    if len(values) > 1 or scheme.lower() != "bearer" or not key:
        raise ParleyError("key.missing", "send one Authorization header: Bearer <API key>")
    if not key.isascii() or not key.isprintable():
        raise ParleyError("key.invalid", "the API key is unknown, revoked or expired")
    return await api_keys.authenticate(key)


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
