"""How many sessions whoever asks may have, and what the answer says is left of that."""

from collections.abc import Callable
from typing import TypedDict

from control_api.http.requests.call import Call
from control_api.http.requests.request_limits import REQUEST_LIMITS, Allowance, note
from store.sessions.quota import Load, SessionLimits


class Quota(TypedDict):
    """What `SessionCreation.create` takes."""

    limits: SessionLimits
    counted: Callable[[Load], None]


def limits_of(call: Call) -> SessionLimits:
    """The organization's limits of sessions."""
    limits = call.request.app[REQUEST_LIMITS].of(call.principal)
    return SessionLimits(limits.concurrent_sessions, limits.queued_sessions)


def quota_of(call: Call) -> Quota:
    """These limits, and who notes in the answer's headers what is left of them."""
    limits = limits_of(call)

    def counted(load: Load) -> None:
        note(call.request, [Allowance(name, limit - used, limit) for name, used, limit in load.of(limits)])

    return Quota(limits=limits, counted=counted)
