"""A simulated jitter buffer's counters, read now and then, tell how late its audio comes out."""

from collections.abc import Callable, Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.database.boot_clock import SECOND_NS
from tests.support.samples.receiver import PACKET_MS, STEP_MS, Receiver
from worker.capture.jitter_buffer.buffer_delay import BufferDelay
from worker.room.room_reading import TrackReading

EXACT_MS = 45  # a packet in every counter, and a half
WHILE_BOTH_SPEAK_MS = 60  # more, when the waiting has nearly caught up with the backlog

# Readings of what Chromium sent of beeps of 0.15 s each second: milliseconds, samples emitted, seconds waited, packets,
# packets discarded. It repeats packets (RED), and sends few in silence (DTX).
BEEPS_OF_A_BROWSER = (
    (813, 5760, 326.4, 7, 4),
    (1110, 10560, 825.6, 15, 11),
    (1264, 18240, 1564.8, 22, 18),
    (1420, 25920, 2179.2, 27, 23),
    (1924, 28800, 2419.2, 29, 23),
    (2109, 32640, 2688.0, 37, 30),
    (2262, 40320, 3292.8, 45, 38),
    (2426, 48000, 3878.4, 49, 42),
    (2931, 49920, 4022.4, 51, 42),
    (3111, 53760, 4291.2, 59, 49),
    (3266, 61440, 4857.6, 65, 55),
    (3418, 69120, 5318.4, 71, 61),
    (3572, 69120, 5318.4, 71, 61),
    (4075, 72960, 5577.6, 79, 66),
    (4109, 72960, 5577.6, 79, 66),
    (4611, 90240, 6844.8, 93, 80),
    (5109, 96000, 7171.2, 102, 86),
    (5262, 103680, 7737.6, 110, 94),
    (5418, 111360, 8380.8, 115, 99),
    (5572, 111360, 8380.8, 115, 99),
    (6076, 115200, 8659.2, 123, 104),
    (6109, 115200, 8659.2, 123, 104),
    (6612, 132480, 9820.8, 137, 118),
    (7109, 138240, 10118.4, 145, 123),
    (7615, 153600, 11040.0, 159, 137),
    (7780, 153600, 11040.0, 161, 137),
    (8109, 159360, 11481.6, 169, 144),
    (8264, 167040, 12076.8, 177, 152),
    (8420, 174720, 12700.8, 181, 156),
    (8576, 174720, 12700.8, 181, 156),
    (9080, 179520, 13008.0, 190, 162),
    (9109, 179520, 13008.0, 190, 162),
)


def followed(
    receiver: Receiver,
    seconds: float,
    *,
    arrives: Callable[[int], list[int]],
    speed: Callable[[int], float] = lambda _: 1.0,
    every_ms: Callable[[int], int] = lambda _: 500,
) -> Iterator[tuple[int, float, float]]:
    """At each reading: the time, what the readings say, and the truth, both without what every track has."""
    delay = BufferDelay()
    rest_ms, next_ms = None, 100
    for now_ms in range(0, round(seconds * 1000), STEP_MS):
        receiver.now_ms = now_ms
        for spoken_ms in arrives(now_ms):
            receiver.arrive(spoken_ms)
        receiver.play(speed(now_ms))
        if now_ms >= next_ms:
            next_ms = now_ms + every_ms(now_ms)
            now_ns = now_ms * SECOND_NS // 1000
            delay.read(receiver.reading(), now_ns)
            told = delay.at(now_ns)
            assert told is not None
            if now_ms < 2000:
                rest_ms = (told / 48, receiver.delay_ms)
            else:
                assert rest_ms is not None
                yield now_ms, told / 48 - rest_ms[0], receiver.delay_ms - rest_ms[1]


def steady(now_ms: int) -> list[int]:
    return [now_ms] if now_ms % PACKET_MS == 0 else []


def held_up(from_ms: int, to_ms: int) -> Callable[[int], list[int]]:
    """What is sent meanwhile comes at the end, all at once."""

    def arrives(now_ms: int) -> list[int]:
        if from_ms <= now_ms < to_ms:
            return []
        if now_ms == to_ms:
            return list(range(from_ms, to_ms + 1, PACKET_MS))
        return steady(now_ms)

    return arrives


def not_sent(from_ms: int, to_ms: int) -> Callable[[int], list[int]]:
    """Capture stands still: nothing is spoken meanwhile."""
    return lambda now_ms: [] if from_ms <= now_ms < to_ms else steady(now_ms)


def test_at_rest_it_is_what_the_samples_wait() -> None:
    """And does not change."""
    assert all(abs(told - true) <= 20 for _, told, true in followed(Receiver(), 10, arrives=steady))


@given(st.integers(400, 3500), st.sampled_from([0, 1]), st.floats(1.0, 1.5), st.integers(0, 400))
def test_behind_a_burst_it_is_what_was_held_up(held_ms: int, doubles: int, drain: float, shift_ms: int) -> None:
    """Though none of the packets waits for long at first."""
    from_ms = 4000 + shift_ms // PACKET_MS * PACKET_MS
    to_ms = from_ms + held_ms // PACKET_MS * PACKET_MS
    receiver = Receiver(doubles)

    def speed(now_ms: int) -> float:
        return drain if now_ms > to_ms + 1500 and receiver.delay_ms > 80 else 1.0

    for now_ms, told, true in followed(
        receiver, 14, arrives=held_up(from_ms, to_ms), speed=speed, every_ms=lambda _: 150
    ):
        if not from_ms <= now_ms <= to_ms + 150:
            assert abs(told - true) <= EXACT_MS + WHILE_BOTH_SPEAK_MS, f"at {now_ms}: {told} instead of {true}"


@given(st.floats(0.8, 0.95), st.integers(500, 1500))
def test_a_buffer_that_builds_up_is_followed(slow: float, stall_ms: int) -> None:
    """It takes a pause of the capture for jitter; nothing was held up."""
    to_ms = 4000 + stall_ms // PACKET_MS * PACKET_MS
    receiver = Receiver()

    def speed(now_ms: int) -> float:
        return slow if now_ms > to_ms + 1000 and receiver.delay_ms < 1200 else 1.0

    for now_ms, told, true in followed(receiver, 16, arrives=not_sent(4000, to_ms), speed=speed):
        if not 4000 <= now_ms <= to_ms + 1000:
            assert abs(told - true) <= EXACT_MS, f"at {now_ms}: {told} instead of {true}"


def test_what_a_full_buffer_lets_go_is_no_delay() -> None:
    """8 s came at once, and the last quarter of a second was kept."""
    receiver = Receiver()
    burst = held_up(4000, 12_000)

    def arrives(now_ms: int) -> list[int]:
        if now_ms != 12_000:
            return burst(now_ms)
        for spoken_ms in range(4000, 11_760, PACKET_MS):
            receiver.arrive(spoken_ms)
        receiver.flush()
        return list(range(11_760, 12_001, PACKET_MS))

    for now_ms, told, true in followed(receiver, 16, arrives=arrives, every_ms=lambda _: 150):
        if not 4000 <= now_ms <= 12_200:
            assert abs(told - true) <= EXACT_MS + WHILE_BOTH_SPEAK_MS, f"at {now_ms}: {told} instead of {true}"


def test_a_browser_s_silence_is_no_delay() -> None:
    """In it few packets come, and none repeats another: they have no doubles, so none of them is one more packet.

    And a buffer that nothing lies in delays the next word by as much as the last one.
    """
    delay = BufferDelay()
    told = []
    for now_ms, emitted, waited, packets, discarded in BEEPS_OF_A_BROWSER:
        now_ns = now_ms * SECOND_NS // 1000
        delay.read(TrackReading(0, emitted, waited, packets, discarded), now_ns)
        assert not delay.behind_burst, f"at {now_ms}"
        told += [delay.at(now_ns + ahead_ms * SECOND_NS // 1000) or 0 for ahead_ms in (0, 250, 500)]
    assert (min(told) >= 50 * 48, max(told) <= 105 * 48) == (True, True), told  # what the samples waited themselves


@given(st.floats(0.01, 0.2), st.randoms(use_true_random=False))
def test_lost_packets_are_no_delay(share: float, random: Random) -> None:
    """They are made up in their time."""
    receiver = Receiver()

    def arrives(now_ms: int) -> list[int]:
        lost = now_ms > 2000 and steady(now_ms) and random.random() < share
        return [] if lost else steady(now_ms)

    for now_ms, told, _ in followed(receiver, 10, arrives=arrives):
        assert told <= 150, f"at {now_ms}: {told}"


@pytest.mark.parametrize("halves_ms", range(400, 1600, 100))
def test_packets_that_come_late_by_halves_are_no_longer_than_before(halves_ms: int) -> None:
    """A deep buffer is played while half of what is sent comes: few packets seem to be twice as long as they are."""
    from_ms, to_ms, built_up_ms = 20_000, 20_000 + halves_ms, 900
    receiver, late = Receiver(), list[int]()

    def arrives(now_ms: int) -> list[int]:
        if 4000 <= now_ms < 4000 + built_up_ms:
            return []
        if not from_ms <= now_ms < to_ms:
            came = [*late, *steady(now_ms)]
            late.clear()
            return came
        late.extend(one for one in steady(now_ms) if one // PACKET_MS % 2)
        return [one for one in steady(now_ms) if one // PACKET_MS % 2 == 0]

    def speed(now_ms: int) -> float:
        return 0.8 if now_ms > 5000 and receiver.delay_ms < built_up_ms else 1.0

    for now_ms, told, true in followed(receiver, 40, arrives=arrives, speed=speed, every_ms=lambda _: 150):
        if now_ms > to_ms + 4000:
            assert abs(told - true) <= EXACT_MS + WHILE_BOTH_SPEAK_MS, f"at {now_ms}: {told} instead of {true}"


@given(
    st.lists(
        st.tuples(
            st.integers(1, 9_000),
            st.integers(0, 200_000),
            st.floats(0, 10),
            st.integers(0, 1_000),
            st.integers(0, 1_000),
        ),
        min_size=1,
        max_size=30,
    ),
    st.integers(0, 9_000),
)
def test_whatever_counters_say_no_delay_is_longer_than_what_a_buffer_holds(
    steps: list[tuple[int, int, float, int, int]], later_ms: int
) -> None:
    """So a mistake about them can't place a track further and further back."""
    delay = BufferDelay()
    now_ms, emitted, waited, packets, discarded = 0, 0, 0.0, 0, 0
    for step_ms, samples, seconds, came, let_go in steps:
        now_ms += step_ms
        emitted, waited, packets, discarded = emitted + samples, waited + seconds, packets + came, discarded + let_go
        delay.read(TrackReading(0, emitted, waited, packets, discarded, 0), now_ms * SECOND_NS // 1000)
        known = delay.at((now_ms + later_ms) * SECOND_NS // 1000)
        assert known is None or 0 <= known <= 200 * delay.packets.packet_samples
