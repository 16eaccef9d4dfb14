"""What a LiveKit server, or whoever else is at the room's URL, says to a join: a code each. Pure.

Texts are those of livekit 1.2.1 and livekit-server 1.13.5, each measured. Nothing of them is kept: on a 401 the server
echoes the whole token.
"""

import re
from collections.abc import Mapping

from sessions.errors import ParleyError
from worker.guard.refusals import Refusal

_STATUS = re.compile(r"signal failure: (?:client|server|handshake) error: (\d{3})\b")
_TOKEN_STATUSES = ("401", "403")
_PASSING_STATUSES = ("408", "425", "429")

# What the server says of a token → what is wrong with it.
_REFUSALS = (
    ("token signature is invalid", ": it is not signed with the secret of its API key"),
    ("invalid API key", ": it does not know the API key that issued it"),
    ("token is expired", ": it has expired"),
    ("token is not valid yet", ": it is not valid yet"),
    ("permissions denied", ": it lets nobody join the room"),
)
# What the guard says instead of connecting → code, message, and whether another attempt is of no use.
_GUARD: Mapping[Refusal, tuple[str, str, bool]] = {
    Refusal.NOT_ALLOWED: ("transport.url_not_allowed", "the room's URL leads to an address that is not public", True),
    Refusal.FLOODED: ("room.flood", "the room's server sent more than any room needs, and was cut off", True),
    Refusal.CUT_OFF: ("room.unreachable", "joins of this room's server were given up", False),
    Refusal.NO_SUCH_NAME: ("room.name_unresolved", "the room's host name does not resolve", True),
    Refusal.UNRESOLVED: ("room.name_unresolved", "no name server answered", False),
    Refusal.REFUSED: ("room.refused", "nothing listens at the room's URL", False),
    Refusal.UNREACHABLE: ("room.unreachable", "nobody answered at the room's URL", False),
}
# What the SDK says of a connection → code, message, and whether another attempt is of no use.
_CONNECTIONS = (
    ("failed to lookup address information: Temporary", "room.name_unresolved", "no name server answered", False),
    ("failed to lookup address", "room.name_unresolved", "the room's host name does not resolve", True),
    ("Connection refused", "room.refused", "nothing listens at the room's URL", False),
    ("invalid peer certificate", "room.tls", "the certificate at the room's URL is not to be trusted", True),
    ("received corrupt message", "room.tls", "the room's URL is wss:// or https://, but no TLS is spoken there", True),
    ("Handshake not finished", "room.tls", "the room's URL is ws:// or http://, but TLS is spoken there", True),
    ("httparse error", "room.not_livekit", "what is at the room's URL speaks no HTTP", True),
)


class JoinError(ParleyError):
    """A join that failed: a code of `room.` or `worker_token.rejected`.

    `final`: for a reason that another attempt does not change.
    """

    def __init__(self, code: str, message: str, *, final: bool = False) -> None:
        super().__init__(code, message)
        self.final = final


def join_error(text: str) -> JoinError:
    """The code and our own words for what the SDK said about a failed join."""
    for refusal, (code, message, final) in _GUARD.items():
        if refusal in text:
            return JoinError(code, message, final=final)
    if match := _STATUS.search(text):
        return _answered(match[1], text)
    for said, code, message, final in _CONNECTIONS:
        if said in text:
            return JoinError(code, message, final=final)
    if "transport connection error" in text or "IO error" in text:
        return JoinError("room.unreachable", "nobody answered at the room's URL")
    if "timed out" in text or "timeout" in text:
        return JoinError("room.join_timeout", "the join was not done in time")
    return JoinError("room.join_failure", "the LiveKit server did not let the worker join")


def _answered(status: str, text: str) -> JoinError:
    if status in _TOKEN_STATUSES:
        why = next((ours for said, ours in _REFUSALS if said in text), "")
        return JoinError("worker_token.rejected", f"the LiveKit server refused the worker token{why}", final=True)
    if status[0] in "23" or (status == "404" and "requested room does not exist" not in text):
        return JoinError("room.not_livekit", f"another server is at the room's URL: it answered {status}", final=True)
    final = status[0] == "4" and status not in _PASSING_STATUSES
    return JoinError("room.join_failure", f"the LiveKit server answered {status}", final=final)
