"""Whose fault a hole is when this process stood still about that time, and what the standstill itself is called."""

from uuid import uuid4

import pytest

from store.database.boot_clock import SECOND_NS, boottime_ns
from store.runs.fence import Fence
from worker.lease.live_run import LiveRun
from worker.room.missing.heard_track import Missing
from worker.run.watching.standstills import Standstills

_BASE_NS = boottime_ns()


def ns(seconds: float) -> int:
    """An instant of the boot-time clock."""
    return _BASE_NS + round(seconds * SECOND_NS)


class Scene:
    """A run that stood still from 10 to 18 s; all of it was missed."""

    def __init__(self) -> None:
        self.run = LiveRun(Fence(uuid4(), 1, uuid4()), claimed_ns=_BASE_NS, stalled_seconds=60)
        self.gaps: list[tuple[str, int, int]] = []
        self.standstills = Standstills(self.run, self._note, lambda *span: span)
        self.run.stood_still(ns(10), ns(18))

    def _note(self, one: Missing) -> None:
        self.gaps.append((one.code, one.from_ns, one.to_ns))


@pytest.mark.parametrize(
    ("code", "start", "end", "blamed"),
    [
        ("gap.concealed", 11, 14, "gap.worker_stalled"),  # a jitter buffer that ran empty
        ("gap.concealed", 9.6, 14, "gap.worker_stalled"),  # the same, placed by a reading that came before
        ("gap.concealed", 18.4, 19, "gap.worker_stalled"),  # and one that let go what came at once
        ("gap.rejoin", 10, 20, "gap.worker_stalled"),  # a server that gave us up
        ("gap.concealed", 7, 8, "gap.concealed"),
        ("gap.concealed", 8.9, 9.9, "gap.concealed"),
        ("gap.concealed", 23, 24, "gap.concealed"),
        ("gap.rejoin", 5, 20, "gap.rejoin"),  # it was away before
        ("gap.permission", 9.8, 18.6, "gap.worker_stalled"),  # frames that came late, not a right that was taken
        ("gap.permission", 22.5, 24, "gap.permission"),
        ("gap.encrypted", 11, 14, "gap.encrypted"),  # the customer's
        ("gap.storage", 11, 14, "gap.storage"),
    ],
)
def test_what_a_standstill_of_ours_caused_is_not_the_transports_fault(
    code: str, start: float, end: float, blamed: str
) -> None:
    """However the jitter buffer's counters put it; what others caused stays theirs."""
    assert Scene().standstills.blamed(code, ns(start), ns(end)) == blamed


def test_after_a_takeover_both_are_the_takeovers() -> None:
    """The other run's recording goes on where this one stopped."""
    scene = Scene()
    scene.run.replace()
    scene.standstills.name(ns(30))
    assert scene.gaps == [("gap.worker_lost", ns(10), ns(18))]
    assert scene.standstills.blamed("gap.concealed", ns(11), ns(14)) == "gap.worker_lost"


def test_a_standstill_is_named_once_and_not_if_frames_only_came_late() -> None:
    """One of less than three seconds costs no frame, but is still to blame for what was made up."""
    scene = Scene()
    scene.run.stood_still(ns(40), ns(41.5))
    for now in (50, 51):
        scene.standstills.name(ns(now))
    assert scene.gaps == [("gap.worker_stalled", ns(10), ns(18))]
    assert scene.standstills.blamed("gap.concealed", ns(41.2), ns(41.4)) == "gap.worker_stalled"
