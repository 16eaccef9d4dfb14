"""The check right before a join: which addresses does the room's host name lead to?

It says early and clearly what is wrong with a URL. The wall is the guard (`worker.guard`), which resolves the name
again and dials only what it has judged.
"""

import asyncio
import socket
from ipaddress import ip_address

from sessions.errors import ParleyError
from sessions.room_url import PARAM, AllowedAddresses, parse_room_url
from worker.room.join_answer import JoinError

_NO_SUCH_NAME = (socket.EAI_NONAME, socket.EAI_NODATA)


async def check_room_address(url: str, allowed: AllowedAddresses, *, timeout_seconds: float) -> None:
    """Resolve the room's host and judge every address it has.

    Raises:
        ParleyError: `transport.url_not_allowed`.
        JoinError: `room.name_unresolved`; final when there is no such name.
    """
    room_url = parse_room_url(url, allowed)
    if allowed.everything or room_url.address is not None:
        return
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_seconds):
            found = await loop.getaddrinfo(room_url.host, room_url.port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise _unresolved(final=True) from None
    except socket.gaierror as error:
        raise _unresolved(final=error.errno in _NO_SUCH_NAME) from None
    except (OSError, TimeoutError):
        raise _unresolved(final=False) from None
    for *_, address in found:
        if not allowed.allows(ip_address(str(address[0]))):
            raise ParleyError(
                "transport.url_not_allowed", "the room's host name leads to an address that is not public", param=PARAM
            )


def _unresolved(*, final: bool) -> JoinError:
    return JoinError("room.name_unresolved", "the room's host name does not resolve", final=final)
