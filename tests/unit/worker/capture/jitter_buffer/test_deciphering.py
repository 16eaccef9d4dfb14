"""From a receiver's counters to what of an encrypted track is noise or could not be deciphered."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.capture.jitter_buffer.deciphering import DecipheringWatch
from worker.room.room_reading import TrackReading

SECOND = 1_000_000_000
PACKET = 960  # samples
FRAME = 480


@pytest.fixture
def watch() -> DecipheringWatch:
    """Of a track whose first frame came at second 1."""
    one = DecipheringWatch()
    assert not one.is_clear(SECOND, FRAME)
    return one


def read(watch: DecipheringWatch, at: float, packets: int, played: int, made_up: int = 0) -> tuple[float, float] | None:
    found = watch.read(TrackReading(made_up, played, 0.0, packets, 0), round(at * SECOND))
    return None if found is None else (found[0] / SECOND, found[1] / SECOND)


def clear_at(watch: DecipheringWatch, arrivals: Iterable[float]) -> float | None:
    """Which of these frames is the first clear one."""
    return next((at for at in arrivals if watch.is_clear(round(at * SECOND), FRAME)), None)


def test_a_track_is_clear_once_the_noise_after_the_first_good_frame_has_faded(watch: DecipheringWatch) -> None:
    """Before that nothing of it may be recorded."""
    assert not watch.is_clear(5 * SECOND, FRAME)
    watch.deciphered(6 * SECOND)
    assert clear_at(watch, (6 + n / 100 for n in range(100))) == 6.21


@settings(max_examples=50)
@given(st.integers(0, 60), st.integers(0, 60))
def test_noise_that_comes_late_is_not_clear_either(late: int, at_once: int) -> None:
    """A busy machine delivers late, or late and all at once, what was played when the first good frame was told."""
    watch = DecipheringWatch()
    watch.deciphered(SECOND)
    first_ms = 1000 + 10 * late
    arrivals = [max(first_ms + 10 * n, first_ms + 10 * at_once) / 1000 for n in range(100)]
    clear = [at for at in arrivals if watch.is_clear(round(at * SECOND), FRAME)]
    assert clear[0] > 1.2
    assert len(clear) < 100 - 20
    assert clear == arrivals[-len(clear) :]


def test_a_first_clear_frame_is_awaited_for_a_second(watch: DecipheringWatch) -> None:
    """Then it is another key's track, which is there all the same."""
    assert [watch.is_pending(round(1.9 * SECOND)), watch.is_pending(2 * SECOND)] == [True, False]
    watch.deciphered(SECOND)
    assert watch.is_pending(round(1.2 * SECOND))
    assert clear_at(watch, (1 + n / 100 for n in range(100))) == 1.21
    assert not watch.is_pending(round(1.3 * SECOND))


def test_with_a_wrong_key_all_is_missing_from_the_first_frame_to_the_last(watch: DecipheringWatch) -> None:
    """One packet got through before the SDK deciphered any, as was measured."""
    found = [read(watch, at, 50 * (at - 1), PACKET) for at in (2, 3, 4)]
    assert found == [None, (1, 3), (3, 4)]
    assert watch.end(round(4.5 * SECOND)) == (4 * SECOND, 4.5 * SECOND)


def test_a_track_too_short_for_a_reading_is_missing_unless_it_was_deciphered() -> None:
    """Nothing else tells."""
    one, two = DecipheringWatch(), DecipheringWatch()
    for watch in (one, two):
        watch.is_clear(SECOND, FRAME)
    two.deciphered(SECOND)
    assert [one.end(2 * SECOND), two.end(2 * SECOND)] == [(SECOND, 2 * SECOND), None]


def test_with_the_right_key_nothing_is_missing(watch: DecipheringWatch) -> None:
    """Also when packets are lost or come in a burst that the jitter buffer plays faster."""
    watch.deciphered(SECOND)
    found = [read(watch, 2, 50, 50 * PACKET), read(watch, 3, 55, 55 * PACKET), read(watch, 4, 150, 120 * PACKET)]
    assert found == [None, None, None]
    assert watch.end(5 * SECOND) is None


def test_another_key_in_the_midst_is_missing_from_the_change_on_and_until_the_change_back(
    watch: DecipheringWatch,
) -> None:
    """Both fall between two readings: 0.3 s and 0.4 s of what was made up in these tell where."""
    watch.deciphered(SECOND)
    found = [
        read(watch, 2, 50, 48_000),
        read(watch, 3, 100, 81_600, made_up=14_400),
        read(watch, 4, 150, 81_600, made_up=62_400),
        read(watch, 4.5, 175, 81_600, made_up=86_400),
        read(watch, 5, 200, 81_600, made_up=110_400),
        read(watch, 6, 250, 110_400, made_up=129_600),
        read(watch, 7, 300, 158_400, made_up=129_600),
    ]
    assert found == [None, None, None, (2.7, 4.5), (4.5, 5), (5, 5.4), None]
    assert watch.end(8 * SECOND) is None


def test_a_burst_that_has_just_come_is_not_locked(watch: DecipheringWatch) -> None:
    """Nothing of it has been played yet; a tenth of a second later it is."""
    watch.deciphered(SECOND)
    found = [
        read(watch, 2, 50, 48_000),
        read(watch, 4, 150, 48_000, made_up=96_000),
        read(watch, 4.05, 152, 48_000, made_up=96_000),
        read(watch, 4.2, 160, 55_680, made_up=96_000),
    ]
    assert found == [None] * 4
    assert not watch.failing


def test_what_a_right_key_that_comes_late_leaves_out_is_missing(watch: DecipheringWatch) -> None:
    """Noise is feared in 0.2 s of audio after the first good frame; until they have come, a reading does not tell."""
    found = [read(watch, 2, 50, 0), read(watch, 3, 100, 0)]
    watch.deciphered(round(3.5 * SECOND))
    found.append(read(watch, 3.6, 130, 4_800, made_up=24_000))
    assert clear_at(watch, (3.6 + n / 100 for n in range(40))) == 3.81
    found.append(read(watch, 4, 150, 24_000, made_up=24_000))
    assert found == [None, (1, 3), None, (3, 3.81)]


def test_a_right_key_after_which_nothing_comes_is_not_awaited_for_long(watch: DecipheringWatch) -> None:
    """As when it is muted at once."""
    found = [read(watch, 2, 50, 0), read(watch, 3, 100, 0)]
    watch.deciphered(round(3.5 * SECOND))
    found += [read(watch, at, 110, 12_000, made_up=24_000) for at in (4, 4.5)]
    assert found == [None, (1, 3), None, (3, 3.7)]


def test_a_muted_track_fails_nothing(watch: DecipheringWatch) -> None:
    """It sends nothing; and the time before its first packets is not missing when they can't be deciphered."""
    assert [read(watch, at, 0, 0) for at in range(2, 8)] == [None] * 6
    assert watch.end(8 * SECOND) is None
    assert [read(watch, 8, 50, 0), read(watch, 8.5, 75, 0)] == [None, (7, 8.5)]


def test_few_packets_say_nothing_yet(watch: DecipheringWatch) -> None:
    """A silent talker may send two a second."""
    found = [read(watch, 1 + at, 2 * at, 0) for at in range(1, 7)]
    assert found == [None] * 5 + [(1, 7)]
    assert watch.read(None, 9 * SECOND) is None
