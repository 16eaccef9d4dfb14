"""The check right before a join: which addresses does the room's host name lead to?

It says early and clearly what is wrong with a URL. The wall is the guard (`worker.guard`), which resolves the name
again and dials only what it has judged.
"""

from sessions.destinations.room_url import PARAM, AllowedAddresses, parse_room_url
from sessions.errors import ParleyError
from worker.guard.addresses import allowed_addresses, system_resolver
from worker.guard.refusals import Refusal, RefusedError
from worker.room.join_answer import JoinError


async def check_room_address(url: str, allowed: AllowedAddresses, *, timeout_seconds: float) -> None:
    """Resolve the room's host and judge every address it has.

    Raises:
        ParleyError: `transport.url_not_allowed`.
        JoinError: `room.name_unresolved`; final when there is no such name.
    """
    room_url = parse_room_url(url, allowed)
    if allowed.everything or room_url.address is not None:
        return
    try:
        await allowed_addresses(room_url.host, room_url.port, allowed, system_resolver, timeout_seconds)
    except RefusedError as error:
        refusal = error.refusal
    else:
        return
    if refusal is Refusal.NOT_ALLOWED:
        raise ParleyError(
            "transport.url_not_allowed", "the room's host name leads to an address that is not public", param=PARAM
        )
    final = refusal is Refusal.NO_SUCH_NAME
    raise JoinError("room.name_unresolved", "the room's host name does not resolve", final=final)
