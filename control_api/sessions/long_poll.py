"""`?until=running|terminal` with `Prefer: wait=N` (RFC 7240 §4.3): wait for a session to get somewhere."""

import asyncio
import re
from collections.abc import Awaitable, Callable

from multidict import MultiMapping

from control_api.sessions.notifications import SessionNotifications
from sessions.lifecycle.lifecycle import SETTLED, TERMINAL, Status
from sessions.session import Session
from store.set_within import set_within

MAX_WAIT_SECONDS = 30
POLL_SECONDS = 2.0  # notifications may be lost; this is how long one then costs

# Waiting for "running" ends, too, when the session can run no more.
GOALS: dict[str, frozenset[Status]] = {
    "running": frozenset({Status.RUNNING, Status.PAUSED}) | SETTLED,
    "terminal": TERMINAL,
}


def preferred_wait(headers: MultiMapping[str]) -> int:
    """Seconds that the client wants to wait, at most `MAX_WAIT_SECONDS`; 0 without a readable preference."""
    for preference in ",".join(headers.getall("Prefer", [])).split(","):
        if match := re.fullmatch(r"\s*wait\s*=\s*\"?(\d{1,9})\"?\s*(?:;.*)?", preference, re.IGNORECASE):
            return min(int(match[1]), MAX_WAIT_SECONDS)
    return 0


async def wait_until(
    read: Callable[[], Awaitable[Session]],
    goal: frozenset[Status],
    seconds: float,
    notifications: SessionNotifications,
    session: Session,
) -> Session:
    """The session as soon as its status is in `goal`, or as it is when the time is over or the process stops.

    Args:
        read: reads it again.
        session: as it was read before.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    with notifications.subscription(session.id) as moved:
        while True:
            moved.clear()
            session = await read()
            left = deadline - asyncio.get_running_loop().time()
            if session.status in goal or left <= 0 or notifications.stopping:
                return session
            await set_within(moved, min(left, POLL_SECONDS))
