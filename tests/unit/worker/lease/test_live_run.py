"""What beats say of a run, and what wakes its runner."""

from uuid import uuid4

import pytest

from store.database.boot_clock import SECOND_NS, boottime_ns
from store.runs.fence import Fence
from worker.lease.drain import Drain
from worker.lease.live_run import Counters, LiveRun
from worker.run.stopping.run_stop import RunStop, StopKind
from worker.run.stopping.stop_finding import stop_from_database


def live_run() -> LiveRun:
    """A run that was claimed right now."""
    return LiveRun(Fence(uuid4(), 1, uuid4()), claimed_ns=boottime_ns(), stalled_seconds=15)


def billed(run: LiveRun) -> tuple[bool, bool]:
    """What a beat says of the room: joined, lost."""
    beat = run.beat()
    return beat.joined, beat.lost


async def test_a_beat_tells_a_lost_room_from_one_that_was_never_joined_or_was_left() -> None:
    """Only what lies behind a loss is free."""
    run = live_run()
    told = [billed(run)]
    for verb in (run.seat, run.lose, run.seat, run.leave):
        verb()
        told.append(billed(run))
    assert told == [(False, False), (True, False), (False, True), (True, False), (False, False)]


async def test_a_beat_carries_the_counters_of_whoever_records() -> None:
    """Until somebody does, nothing was received."""
    run = live_run()
    before = run.beat().frames, run.uploads_pending
    run.recorded_by(lambda: Counters(frames=7), lambda: 3)
    assert (before, (run.beat().frames, run.uploads_pending)) == ((0, 0), (7, 3))


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_run_that_was_given_away_stops_at_once(replaced: bool) -> None:
    """Whether or not somebody has it yet, and whatever else its process does."""
    run = live_run()
    assert stop_from_database(run, Drain(), in_room=True, now_ns=boottime_ns()) is None
    run.drop()
    assert run.woken.is_set()
    if replaced:
        run.replace()
    stop = stop_from_database(run, Drain(), in_room=True, now_ns=boottime_ns())
    assert stop == RunStop(StopKind.REPLACED if replaced else StopKind.HANDED_OVER)


async def test_a_replaced_run_wakes_its_runner_and_stays_replaced() -> None:
    """Nobody waits for a beat that can't come any more."""
    run = live_run()
    run.replace()
    await run.proven_after(boottime_ns() + 60 * SECOND_NS)
    assert (run.replaced, run.woken.is_set()) == (True, True)


async def test_a_standstill_wakes_the_runner() -> None:
    """It is to be named at once."""
    run = live_run()
    run.stood_still(1, 5)
    assert (run.woken.is_set(), list(run.standstills)) == (True, [(1, 5)])
