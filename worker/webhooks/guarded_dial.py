"""Connections to addresses that strangers name: each is judged after resolving, right before its socket is made.

So it does not matter how an address is spelled, or that a name has another one the next time it is asked for: what is
connected to is what was judged. A name with one address that is not public is not dialed at all.
"""

import socket
from ipaddress import ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import AddrInfoType

from sessions.destinations.public_address import is_public_address


class AddressNotAllowedError(OSError):
    """An address that webhooks must not go to."""

    def __init__(self) -> None:
        super().__init__("the address is not public")


class PublicResolver(AbstractResolver):
    """Resolves names that have public addresses only."""

    def __init__(self, resolver: AbstractResolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of `host`.

        Raises:
            AddressNotAllowedError: one of them is not public.
            OSError: there is no such name, or nobody who knows.
        """
        found = await self._resolver.resolve(host, port, family)
        for address in found:
            require_public(address["host"])
        return found

    async def close(self) -> None:
        """Close what resolves."""
        await self._resolver.close()


def public_socket(address: AddrInfoType) -> socket.socket:
    """A socket that may connect to this address.

    Raises:
        AddressNotAllowedError: it is not public.
    """
    family, kind, protocol, _, (host, *_rest) = address
    require_public(str(host))
    return socket.socket(family=family, type=kind, proto=protocol)


def guarded_connector(*, allow_private_hosts: bool, resolver: AbstractResolver | None = None) -> aiohttp.TCPConnector:
    """A connector that reaches public addresses only, unless told otherwise. A connection serves one request.

    Args:
        resolver: asks for the addresses of names; None: the host's.
    """
    inner = aiohttp.ThreadedResolver() if resolver is None else resolver
    if allow_private_hosts:
        return aiohttp.TCPConnector(resolver=inner, force_close=True, limit=0)
    return aiohttp.TCPConnector(resolver=PublicResolver(inner), socket_factory=public_socket, force_close=True, limit=0)


def require_public(host: str) -> None:
    """Return if this address is public.

    Raises:
        AddressNotAllowedError: it is not, or is none.
    """
    try:
        allowed = is_public_address(ip_address(host))
    except ValueError:
        allowed = False
    if not allowed:
        raise AddressNotAllowedError
