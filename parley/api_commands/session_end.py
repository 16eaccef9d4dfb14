"""Waiting for the end of a session, and saying how it ended."""

from parley.client.api_client import ApiClient, Resource
from parley.client.sessions import wait_until_terminal
from parley.terminal.printing import say
from sessions.codes import CODES

EXIT_SESSION_FAILED = 6
"""The session that was waited for failed or was canceled."""


async def wait(api: ApiClient, session_id: str) -> Resource:
    """The session when it is over; whoever interrupts learns that it goes on."""
    try:
        return await wait_until_terminal(api, session_id)
    except BaseException:
        say(f"{session_id} goes on; `parley sessions end {session_id}` ends it")
        raise


def told(session: Resource) -> str:
    """What became of a session, in a few words."""
    if (error := session["error"]) is not None:
        help_ = CODES[error["code"]].help if error["code"] in CODES else ""
        message = (error.get("message") or "").rstrip(".")
        parts = (f"{session['status']}, {error['code']}:", message and f"{message}.", help_)
        return " ".join(part for part in parts if part)
    reason = f", {session['end_reason']}" if session["end_reason"] else ""
    time = f", {charged(session)}" if session["started_at"] else ""
    return f"{session['status']}{reason}{time}"


def charged(session: Resource) -> str:
    """What is billed of a session; while it goes on, what has counted so far, as some of it may be given back."""
    usage = session["usage"]
    if usage["provisional"]:
        return f"{usage['billable_ms'] / 1000:.1f} s counted"
    return f"{(usage['billable_ms'] - usage['credited_ms']) / 1000:.1f} s billed"


def exit_code_of(session: Resource) -> int:
    """0 for a session that ended, and for one that isn't over."""
    return EXIT_SESSION_FAILED if session["status"] in ("failed", "canceled") else 0
