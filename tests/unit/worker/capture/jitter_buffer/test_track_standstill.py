"""What a standstill of the process cost a track, by what its receiver counted meanwhile."""

from dataclasses import replace

import pytest

from audio.pcm import SAMPLE_RATE
from store.database.boot_clock import SECOND_NS
from worker.capture.jitter_buffer.buffer_delay import BufferDelay
from worker.capture.jitter_buffer.played_afterwards import ReadAt
from worker.capture.jitter_buffer.track_standstill import TrackStandstill
from worker.room.room_reading import TrackReading

FRAME = SAMPLE_RATE // 10
BEFORE = TrackReading(50_000, 2_500_000, 2e6, 2500, 0)


def ns(seconds: float) -> int:
    """An instant."""
    return round(seconds * SECOND_NS)


def reading(
    *, made_up: float = 0, packets: int = 0, let_go: int = 0, emitted: float = 0, waited: float = 0
) -> TrackReading:
    """Seconds that were made up or emitted since `BEFORE`, having waited so long each, and packets that came."""
    return replace(
        BEFORE,
        concealed_samples=BEFORE.concealed_samples + round(made_up * SAMPLE_RATE),
        packets=BEFORE.packets + packets,
        discarded_packets=let_go,
        emitted_samples=BEFORE.emitted_samples + round(emitted * SAMPLE_RATE),
        waited_seconds=BEFORE.waited_seconds + waited * emitted * SAMPLE_RATE,
    )


def woken(seconds: float) -> TrackStandstill:
    """It stood still from 1 s on for so long, and all frames that were due have come at once."""
    standstill = TrackStandstill()
    last = ReadAt(BEFORE, ns(1.0))
    standstill.take(ns(0.9), FRAME, ns(0.8), last)
    assert standstill.take(ns(1.0), FRAME, ns(0.9), last) == (False, False)
    woke, due = ns(1 + seconds), round(seconds * 10)
    came = [standstill.take(woke + number, FRAME, ns(1.0), last) for number in range(due)]
    assert came == [(True, True)] + [(False, True)] * (due - 1)
    assert standstill.resuming
    return standstill


@pytest.mark.parametrize(("made_up", "left_out"), [(0.1, False), (2.0, True)])
def test_what_was_due_in_a_short_standstill_is_true_unless_it_was_made_up(made_up: float, left_out: bool) -> None:
    """By the event loop alone, or by the jitter buffer."""
    standstill = woken(2)
    assert not standstill.judging
    standstill.settle(reading(made_up=made_up))
    assert standstill.leaves_out == left_out


@pytest.mark.parametrize(
    ("after", "excess", "left_out", "missed"),
    [
        (reading(packets=220), 0, False, (1.05, 1.05)),  # the event loop alone stood still
        (reading(made_up=4.0, packets=220), 3.7, True, (1.0, 1.6)),  # what was sent comes behind what was made up
        (reading(made_up=4.0, packets=220), 4.2, True, (1.0, 1.2)),  # the seam is never true
    ],
)
def test_what_comes_after_a_long_standstill_is_believed_if_all_that_was_due_came(
    after: TrackReading, excess: float, left_out: bool, missed: tuple[float, float]
) -> None:
    """From the last frame before it to where what was sent meanwhile begins."""
    standstill, delay = woken(4), BufferDelay()
    assert not standstill.read(ReadAt(reading(made_up=4.0, packets=20), ns(5.1)), delay)
    assert standstill.judging, "the socket is still being read"
    assert not standstill.read(ReadAt(after, ns(5.35)), delay)
    assert not standstill.read(ReadAt(after, ns(5.5)), delay)
    assert not standstill.judging
    assert not standstill.distrusted
    assert standstill.leaves_out == left_out
    standstill.resume(ns(5.4), FRAME, round(excess * SAMPLE_RATE))
    assert standstill.missed(ns(1.05), ns(4.95)) == tuple(map(ns, missed))
    told = standstill.take_missed()
    assert (told is None) == (not left_out)
    assert told in (None, tuple(map(ns, missed)))


@pytest.mark.parametrize(
    "after", [reading(made_up=8, packets=200), reading(made_up=8, packets=420, let_go=200), reading(made_up=2)]
)
def test_else_nothing_is_until_what_comes_out_arrived_afterwards(after: TrackReading) -> None:
    """Packets are missing, or a full buffer let them go, however much was made up."""
    standstill, delay = woken(8), BufferDelay()
    for seconds in (9.1, 9.35, 9.5):
        assert not standstill.read(ReadAt(after, ns(seconds)), delay)
    assert standstill.distrusted
    emitted, waited = after.emitted_samples, after.waited_seconds
    for step in range(1, 10):
        late = replace(after, emitted_samples=emitted + step * 7200, waited_seconds=waited + step * 7200 * 2.0)
        assert not standstill.read(ReadAt(late, ns(9.5 + step * 0.15)), delay), "it waited for two seconds"
    for step in (1, 2, 3):
        live = replace(
            late,
            emitted_samples=late.emitted_samples + step * 7200,
            waited_seconds=late.waited_seconds + step * 7200 * 0.1,
        )
        if standstill.read(ReadAt(live, ns(10.85 + step * 0.15)), delay):
            break
    assert step == 2, "the first interval may hold some of what came before"
    assert not standstill.distrusted
    standstill.resume(ns(11.2), FRAME, FRAME)
    assert standstill.missed(ns(1.05), ns(8.95)) == (ns(1.0), ns(11.0))
    assert (standstill.take_missed(), standstill.take_missed()) == ((ns(1.0), ns(11.0)), None)


def test_what_nothing_proves_until_the_end_is_missed() -> None:
    """Up to the end."""
    standstill = woken(8)
    standstill.give_up_judging()
    assert standstill.distrusted
    standstill.end(ns(12))
    assert standstill.missed(ns(1.05), ns(8.95)) == (ns(1.0), ns(12))
    assert standstill.take_missed() == (ns(1.0), ns(12))


def test_a_standstill_of_which_the_track_knows_nothing_is_missed_as_a_whole() -> None:
    """It had no frames then."""
    assert TrackStandstill().missed(ns(5), ns(9)) == (ns(5), ns(9))
