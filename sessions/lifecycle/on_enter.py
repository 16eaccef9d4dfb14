"""What entering a state means for a session: one entry for each state of `sessions.lifecycle`, as data.

`store.lifecycle.transitions` writes what the entry says, and `store.lifecycle.on_enter` does what needs SQL.
"""

from dataclasses import dataclass
from typing import Literal

from sessions.lifecycle.lifecycle import Status
from sessions.lifecycle.recording_state import RecordingState

Stamp = Literal[
    "queued_at", "started_at", "running_since", "paused_at", "ending_at", "ended_at", "failed_at", "finished_at"
]

# Stamps that keep their first value: sample 0 of the recording, and the end of the recording and of the bill.
FIRST_ONLY: frozenset[Stamp] = frozenset({"started_at", "ending_at"})


@dataclass(frozen=True, slots=True)
class OnEnter:
    """One state's entry.

    Attributes:
        stamps: columns that take the moment of the transition; `ending_at` takes the stop's own, and stays null for a
            session that never ran.
        cleared: columns that become null.
        recording: the `recording_state` of a voice session; None: it stays. A text session's is always `none`, and
            a session that comes from `ending` keeps the one that its product, or the lack of it, has given it.
    """

    stamps: tuple[Stamp, ...] = ()
    cleared: tuple[Stamp, ...] = ()
    recording: RecordingState | None = None


ON_ENTER: dict[Status, OnEnter] = {
    Status.CREATED: OnEnter(),
    Status.QUEUED: OnEnter(stamps=("queued_at",)),
    Status.STARTING: OnEnter(recording="pending"),
    Status.RUNNING: OnEnter(stamps=("started_at", "running_since"), cleared=("paused_at",), recording="recording"),
    Status.PAUSED: OnEnter(stamps=("paused_at",), recording="paused"),
    Status.ENDING: OnEnter(stamps=("ending_at",), recording="finalizing"),
    Status.ENDED: OnEnter(stamps=("ending_at", "ended_at", "finished_at"), recording="none"),
    Status.FAILED: OnEnter(stamps=("ending_at", "failed_at", "finished_at"), recording="none"),
    Status.CANCELED: OnEnter(stamps=("ending_at", "finished_at"), recording="none"),
}
