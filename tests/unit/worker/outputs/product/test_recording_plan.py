"""Which stretches of a recording nobody recorded, read from the frozen runs and their segments."""

from datetime import UTC, datetime, timedelta
from typing import Any

from audio.building.build import Gap, SegmentKey
from audio.pcm import SAMPLE_RATE
from worker.clock.session_clock import SessionClock
from worker.outputs.product.recording_plan import GAP_REJOIN, GAP_WORKER_LOST, unrecorded

STARTED_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLOCK = SessionClock.of_stamps(STARTED_AT)
OWNERS = ("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002")


def run(
    epoch: int, joined: float, beat: float, *, released: float | None = None, lost: bool = False, sealed: bool = True
) -> dict[str, Any]:
    """A frozen run; instants in seconds of the session."""

    def at(seconds: float | None) -> str | None:
        return None if seconds is None else (STARTED_AT + timedelta(seconds=seconds)).isoformat()

    return {
        "epoch": epoch,
        "owner": OWNERS[epoch - 1],
        "joined_at": at(joined),
        "beat_at": at(beat),
        "released_at": at(released),
        "lost": lost,
        "sealed": sealed,
    }


def segment(epoch: int, first: float, last: float) -> SegmentKey:
    """A stored segment; instants in seconds of the session."""
    return SegmentKey(epoch, OWNERS[epoch - 1], 1, round(first * SAMPLE_RATE), round(last * SAMPLE_RATE), 0, 100)


def gaps(runs: list[dict[str, Any]], keys: list[SegmentKey], code: str = GAP_WORKER_LOST) -> list[tuple[float, float]]:
    """What is unrecorded of 20 seconds, in seconds; all of it must be of this code."""
    found = unrecorded(runs, keys, CLOCK, 20 * SAMPLE_RATE)
    assert all(gap == Gap(gap.start_sample, gap.end_sample, code) for gap in found)
    return [(gap.start_sample / SAMPLE_RATE, gap.end_sample / SAMPLE_RATE) for gap in found]


def test_a_hand_over_whose_workers_both_recorded_has_a_seam() -> None:
    """Whenever the last beat was: what the one heard last and the other first is not whole."""
    runs = [run(1, 0, 8, released=9), run(2, 12, 20)]
    assert gaps(runs, [segment(1, 0, 12.05), segment(2, 12, 20)], GAP_REJOIN) == [(11.95, 12)]


def test_what_an_evicted_worker_recorded_after_its_eviction_was_made_up() -> None:
    """The join of its successor evicted it; its jitter buffer went on for half a second, as nobody had told it."""
    runs = [run(1, 0, 8, released=9), run(2, 12, 20)]
    assert gaps(runs, [segment(1, 0, 12.5), segment(2, 12.2, 20)], GAP_REJOIN) == [(12, 12.2)]


def test_a_slow_hand_over_is_a_gap_but_nobody_was_lost() -> None:
    """Evicted at 12, and the successor took half a second to begin."""
    runs = [run(1, 0, 12, released=9), run(2, 12.5, 20)]
    assert gaps(runs, [segment(1, 0, 12), segment(2, 12.5, 20)], GAP_REJOIN) == [(12, 12.5)]


def test_what_a_quick_takeover_lost_is_a_gap_too() -> None:
    """Two tenths of a second are words; a takeover with nothing missing in between still has a seam."""
    for first, gap in ((12.2, (12, 12.2)), (12.1, (12, 12.1)), (12, (11.95, 12)), (11.9, (11.85, 11.9))):
        keys = [segment(1, 0, 12), segment(2, first, 20)]
        assert gaps([run(1, 0, 12, released=9), run(2, 11.9, 20)], keys, GAP_REJOIN) == [(min(gap[0], 11.9), gap[1])]
        assert gaps([run(1, 0, 12, lost=True), run(2, 11.9, 20)], keys) == [gap]


def test_what_a_kill_right_before_the_end_lost_is_a_gap() -> None:
    """More than a seam, which what arrives last always lacks."""
    assert gaps([run(1, 0, 19, lost=True)], [segment(1, 0, 19.9)]) == [(19.9, 20)]
    assert gaps([run(1, 0, 19, sealed=False)], [segment(1, 0, 19.9)]) == [(19.9, 20)]
    assert gaps([run(1, 0, 19, lost=True)], [segment(1, 0, 19.96)]) == []


def test_the_gap_of_a_takeover_reaches_to_what_is_heard_again() -> None:
    """Tracks are subscribed after the join; whoever is heard much later was not there before."""
    runs = [run(1, 0, 9, lost=True), run(2, 12, 20)]
    assert gaps(runs, [segment(1, 0, 9), segment(2, 12.6, 20)]) == [(9, 12.6)]
    assert gaps(runs, [segment(1, 0, 9), segment(2, 18, 20)]) == [(9, 12)]
    assert gaps(runs, [segment(1, 0, 9), segment(2, 18, 20), segment(2, 13, 13)]) == [(9, 12)]


def test_a_hand_over_that_was_taken_much_later_is_a_gap_of_ours() -> None:
    """Nobody was there to take it within the grace period."""
    runs = [run(1, 0, 9, released=7), run(2, 15, 20)]
    assert gaps(runs, [segment(1, 0, 9), segment(2, 15, 20)]) == [(9, 15)]


def test_the_gap_of_a_killed_process_begins_where_its_salvaged_spool_ends() -> None:
    """Its last beat was at 8, but the audio goes on to 11.9."""
    runs = [run(1, 0, 8, released=12, lost=True), run(2, 13, 20)]
    assert gaps(runs, [segment(1, 0, 11.9), segment(2, 13, 20)]) == [(11.9, 13)]


def test_the_gap_of_a_process_killed_in_a_silent_room_begins_at_its_last_beat() -> None:
    """Ann left at 5; until 8 it is proven that there was nothing to hear."""
    runs = [run(1, 0, 8, released=12, lost=True), run(2, 13, 20)]
    assert gaps(runs, [segment(1, 0, 5), segment(2, 13, 20)]) == [(8, 13)]


def test_the_gap_of_a_lost_host_begins_where_what_it_uploaded_ends() -> None:
    """It had beaten until 8, but that stretch of its spool is not here."""
    runs = [run(1, 0, 8, released=12, lost=True, sealed=False), run(2, 13, 20)]
    assert gaps(runs, [segment(1, 0, 4), segment(2, 13, 20)]) == [(4, 13)]


def test_what_lies_after_a_lost_run_that_nobody_took_over_is_a_gap() -> None:
    """To the end of the recording."""
    assert gaps([run(1, 0, 8, released=12, lost=True)], [segment(1, 0, 11)]) == [(11, 20)]


def test_what_lies_after_a_hand_over_that_nobody_took_is_a_gap() -> None:
    """A worker was stopped in peace at 9, and the session ended at 20."""
    assert gaps([run(1, 0, 9, released=7)], [segment(1, 0, 9)]) == [(9, 20)]


def test_a_hand_over_that_the_end_of_the_session_met_leaves_no_gap() -> None:
    """The worker was still recording when the session ended."""
    assert gaps([run(1, 0, 20.1, released=17)], [segment(1, 0, 20)]) == []


def test_a_run_that_never_joined_changes_nothing() -> None:
    """Lost between claim and join: the gap is that of the run before."""
    runs = [run(1, 0, 8, released=8, lost=True), {**run(2, 0, 9), "joined_at": None, "lost": True}]
    assert gaps(runs, [segment(1, 0, 8)]) == [(8, 20)]


def test_the_gap_of_a_takeover_in_a_pause_ends_with_the_join() -> None:
    """What is heard first is what comes after the pause."""
    pause = (11 * SAMPLE_RATE, 13 * SAMPLE_RATE)
    runs = [run(1, 0, 9, lost=True), run(2, 12, 20)]
    found = unrecorded(runs, [segment(1, 0, 9), segment(2, 13.05, 20)], CLOCK, 20 * SAMPLE_RATE, (pause,))
    assert found == [Gap(9 * SAMPLE_RATE, 12 * SAMPLE_RATE, GAP_WORKER_LOST)]
