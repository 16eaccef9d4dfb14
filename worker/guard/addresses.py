"""From a host's name to the addresses that are dialed: resolved once, each of them judged."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any

from sessions.destinations.room_url import AllowedAddresses
from worker.guard.refusals import Refusal, RefusedError

_NO_SUCH_NAME = (socket.EAI_NONAME, socket.EAI_NODATA)

Resolve = Callable[[str, int], Awaitable[list[Any]]]
"""From host and port to what `getaddrinfo` returns."""


async def system_resolver(host: str, port: int) -> list[Any]:
    """As the system resolves names, literals in every spelling too."""
    return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)


async def allowed_addresses(
    host: str, port: int, allowed: AllowedAddresses, resolve: Resolve, timeout_seconds: float
) -> list[str]:
    """The addresses of a host, all of which may be dialed.

    One that may not be makes the whole name suspect: nothing of it is dialed.

    Raises:
        RefusedError: `NOT_ALLOWED`, `NO_SUCH_NAME`, `UNRESOLVED`.
    """
    try:
        async with asyncio.timeout(timeout_seconds):
            found = await resolve(host, port)
    except UnicodeError:
        raise RefusedError(Refusal.NO_SUCH_NAME) from None
    except socket.gaierror as error:
        gone = error.errno in _NO_SUCH_NAME
        raise RefusedError(Refusal.NO_SUCH_NAME if gone else Refusal.UNRESOLVED) from None
    except (OSError, TimeoutError):
        raise RefusedError(Refusal.UNRESOLVED) from None
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    if not addresses:
        raise RefusedError(Refusal.NO_SUCH_NAME)
    if not all(allowed.allows(ip_address(address)) for address in addresses):
        raise RefusedError(Refusal.NOT_ALLOWED)
    return addresses
