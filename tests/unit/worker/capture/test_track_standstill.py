"""What a standstill of the process cost a track, by what its receiver counted meanwhile."""

from dataclasses import replace

import pytest

from audio.pcm import SAMPLE_RATE
from store.database.boot_clock import SECOND_NS
from worker.capture.track_standstill import TrackStandstill
from worker.room.room_reading import TrackReading

FRAME = SAMPLE_RATE // 10
BEFORE = TrackReading(50_000, 0, 0.0, 2_500_000, 0, 0)


def ns(seconds: float) -> int:
    """An instant."""
    return round(seconds * SECOND_NS)


def reading(*, made_up: float = 0, lost_packets: int = 0) -> TrackReading:
    """The first reading after it: so many seconds were made up in it, so many packets never came."""
    concealed = BEFORE.concealed_samples + round(made_up * SAMPLE_RATE)
    return replace(BEFORE, concealed_samples=concealed, lost_packets=lost_packets)


@pytest.mark.parametrize(
    ("after", "excess", "left_out", "missed"),
    [
        (reading(made_up=0.1), 0, False, (1.05, 2.95)),  # the event loop alone stood still, as it seems: nobody knows
        (reading(made_up=2.0), 1.7, True, (1.0, 1.3)),  # what was sent comes late behind what was made up
        (reading(made_up=2.0), 1.95, True, (1.0, 1.2)),  # the seam is never true
        (reading(made_up=2.0, lost_packets=40), 1.7, True, (1.0, 3.0)),  # nobody knows which of it came
        (reading(lost_packets=40), 0, False, (1.0, 3.0)),
    ],
)
def test_what_was_missed_in_a_standstill_of_two_seconds(
    after: TrackReading, excess: float, left_out: bool, missed: tuple[float, float]
) -> None:
    """From the last frame before it to where what was sent meanwhile begins."""
    standstill = TrackStandstill()
    standstill.take(ns(0.9), FRAME, ns(0.8), BEFORE)
    assert standstill.take(ns(1.0), FRAME, ns(0.9), BEFORE) == (False, False)
    came = [standstill.take(ns(3.0) + number, FRAME, ns(1.0), BEFORE) for number in range(20)]
    assert came == [(True, True)] + [(False, True)] * 19
    assert standstill.resuming
    standstill.read(after, 20 * FRAME)
    assert standstill.leaves_out == left_out
    standstill.resume(ns(3.1), FRAME, round(excess * SAMPLE_RATE))
    assert not standstill.resuming
    assert standstill.missed(ns(1.05), ns(2.95)) == tuple(map(ns, missed))


def test_a_standstill_of_which_the_track_knows_nothing_is_missed_as_a_whole() -> None:
    """It had no frames then."""
    assert TrackStandstill().missed(ns(5), ns(9)) == (ns(5), ns(9))
