"""The lifecycle of a session: one table keyed by state and event.

`advance` raises and changes nothing when the table has no such move. SQL guards and the diagram in the docs are derived
from the same table. Being asked to end or cancel what is settled already (`ending` or terminal) is no move at all: the
services answer 200 with the session unchanged.
"""

from enum import StrEnum
from typing import Literal

from sessions.errors import ParleyError


class Status(StrEnum):
    """What a session is doing, as the API prints it."""

    CREATED = "created"
    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    ENDING = "ending"
    ENDED = "ended"
    FAILED = "failed"
    CANCELED = "canceled"


class Event(StrEnum):
    """What can happen to a session."""

    DUE = "due"  # start_at has come
    OPEN = "open"  # a text session's first message
    CLAIM = "claim"  # a worker takes it: for the first time, or after another one
    JOINED = "joined"  # connect returned and the spool is open
    PAUSE = "pause"
    RESUME = "resume"
    END = "end"  # asked for, or found by the worker (idle, room closed, …)
    CANCEL = "cancel"
    FAIL = "fail"
    COMMIT_ENDED = "commit_ended"  # the finalized product is stored
    COMMIT_FAILED = "commit_failed"
    COMMIT_CANCELED = "commit_canceled"


Outcome = Literal["ended", "failed", "canceled"]

TRANSITIONS: dict[Status, dict[Event, Status]] = {
    Status.CREATED: {
        Event.DUE: Status.QUEUED,
        Event.OPEN: Status.RUNNING,
        Event.END: Status.CANCELED,
        Event.CANCEL: Status.CANCELED,
        Event.FAIL: Status.FAILED,
    },
    Status.QUEUED: {
        Event.CLAIM: Status.STARTING,
        Event.END: Status.CANCELED,
        Event.CANCEL: Status.CANCELED,
        Event.FAIL: Status.FAILED,
    },
    Status.STARTING: {
        Event.CLAIM: Status.STARTING,
        Event.JOINED: Status.RUNNING,
        Event.END: Status.CANCELED,
        Event.CANCEL: Status.CANCELED,
        Event.FAIL: Status.FAILED,
    },
    Status.RUNNING: {
        Event.CLAIM: Status.RUNNING,
        Event.PAUSE: Status.PAUSED,
        Event.END: Status.ENDING,
        Event.CANCEL: Status.ENDING,
        Event.FAIL: Status.ENDING,
    },
    Status.PAUSED: {
        Event.CLAIM: Status.PAUSED,
        Event.RESUME: Status.RUNNING,
        Event.END: Status.ENDING,
        Event.CANCEL: Status.ENDING,
        Event.FAIL: Status.ENDING,
    },
    Status.ENDING: {
        Event.COMMIT_ENDED: Status.ENDED,
        Event.COMMIT_FAILED: Status.FAILED,
        Event.COMMIT_CANCELED: Status.CANCELED,
    },
    Status.ENDED: {},
    Status.FAILED: {},
    Status.CANCELED: {},
}

TERMINAL = frozenset(status for status, moves in TRANSITIONS.items() if not moves)
ACTIVE = frozenset(TRANSITIONS) - TERMINAL
SETTLED = TERMINAL | {Status.ENDING}
STOPS: dict[Outcome, Event] = {"ended": Event.END, "canceled": Event.CANCEL, "failed": Event.FAIL}
ALIASES: dict[str, frozenset[Status]] = {"active": ACTIVE, "terminal": TERMINAL}


def advance(status: Status, event: Event) -> Status:
    """The state after `event`.

    Raises:
        ParleyError: `transition.invalid`; nothing has changed.
    """
    target = TRANSITIONS[status].get(event)
    if target is None:
        raise ParleyError("transition.invalid", f"a session that is {status} does not take {event}")
    return target


def sources(event: Event) -> frozenset[Status]:
    """Every state in which `event` is legal: what an SQL guard `status IN (…)` lists."""
    return frozenset(status for status, moves in TRANSITIONS.items() if event in moves)


def commit_event(outcome: Outcome) -> Event:
    """The event that takes an `ending` session to `outcome`."""
    return Event(f"commit_{outcome}")
