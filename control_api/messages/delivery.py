"""Posts a message and waits for at most `DELIVERY_SECONDS` until the session's worker has put it into the room."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from control_api.http.requests.call import Call
from control_api.sessions.notifications import NOTIFICATIONS
from sessions.errors import DatabaseUnavailableError
from store.sessions.log.session_log import LogEntry
from store.sessions.log.session_messages import NewMessage
from store.set_within import set_within

DELIVERY_SECONDS = 2.0
_LOOK_SECONDS = 0.5  # notifications may be lost


async def deliver(call: Call, message: NewMessage, render: Callable[[LogEntry], bytes]) -> LogEntry:
    """Log the message and return it as it is once it is in the room, or when the time is over.

    Args:
        render: the body of the 201 that goes with the request's Idempotency-Key.
    """
    sessions = call.dependencies.sessions
    ticket, call.ticket = call.ticket, None  # the answer is kept by the transaction that logs the message
    with call.request.app[NOTIFICATIONS].subscription(call.session_id) as moved:
        posted = await sessions.messages.post(
            call.organization_id,
            call.session_id,
            message,
            idempotency=ticket,
            render=lambda entry: (201, render(entry)),
        )
        entry = await _delivered(call, posted.entry, moved) if posted.on_its_way else posted.entry
    if ticket is not None and entry != posted.entry:
        with suppress(DatabaseUnavailableError):  # then a repetition hears what was true when it was logged
            await sessions.messages.revise_answer(ticket, render(entry))
    return entry


async def _delivered(call: Call, entry: LogEntry, moved: asyncio.Event) -> LogEntry:
    log, notifications = call.dependencies.sessions.log, call.request.app[NOTIFICATIONS]
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DELIVERY_SECONDS
    while entry.delivered_at is None and (left := deadline - loop.time()) > 0 and not notifications.stopping:
        await set_within(moved, min(left, _LOOK_SECONDS))
        moved.clear()
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                entry = await log.entry(entry.session_id, entry.seq) or entry
        except TimeoutError:
            continue
        except DatabaseUnavailableError:
            return entry  # it is logged: that is what the client has to know
    return entry
