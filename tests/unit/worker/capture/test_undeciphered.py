"""A track whose key changes and comes back: what is placed where, and how the time in between is named."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audio.ranges import merged_ranges
from store.database.boot_clock import SECOND_NS
from store.database.clock import ClockPair
from tests.support.samples.receiver import PACKET_MS, STEP_MS, Receiver
from tests.support.talkers.listened import Listened
from worker.capture.jitter_buffer.deciphering import DecipheringWatch
from worker.capture.room_track import RoomTrack
from worker.clock.session_clock import SessionClock

STARTED = datetime(2026, 1, 1, tzinfo=UTC)
FRAME_MS = 100
EDGE_MS = 120  # a frame, as one that is partly made up is not told apart, and a packet
RULE_MS = 260  # what is made up for less than 0.2 s at the end of an interval is not named, as in any track
SEAM_MS = 50
SPLICED = 3  # samples in which two frames are blended may say anything


def listened(
    seconds: float,
    *,
    arrives: Callable[[int], list[int]],
    opens: Callable[[int], bool],
    shift_ms: int,
) -> Listened:
    """Record a receiver whose packets, spoken at an instant each, are opened by the key or not."""
    receiver, found, hurried = Receiver(doubles=0), Listened(), [False]
    clock = SessionClock(STARTED, ClockPair(STARTED, boottime_ns=0, uncertainty_ns=0))
    track = RoomTrack(1, "TR_a", "eve", clock, lambda: hurried.__setitem__(0, True), deciphering=DecipheringWatch())
    next_ms, block = 100 + shift_ms, np.zeros(0, dtype=np.int16)
    for now_ms in range(0, round(seconds * 1000), STEP_MS):
        receiver.now_ms, now_ns = now_ms, now_ms * SECOND_NS // 1000
        for spoken_ms in arrives(now_ms):
            if opens(spoken_ms):
                receiver.arrive(spoken_ms)
            else:
                receiver.fail()
        receiver.play(1.0)
        spoken = 0 if receiver.silent else round(receiver.playing_ms / PACKET_MS)
        block = np.append(block, np.full(48 * STEP_MS, spoken, dtype=np.int16))
        if len(block) == 48 * FRAME_MS:
            if track.is_clear(now_ns, len(block)):
                found.take(track.push(now_ns, block), [], None)
            block = np.zeros(0, dtype=np.int16)
        if now_ms == 100 and track.deciphering is not None:
            track.deciphering.deciphered(now_ns)
        found.take(track.tick(now_ns), [], None)
        if now_ms >= next_ms or hurried[0]:
            found.take(*track.read(receiver.reading(), now_ns))
            next_ms, hurried[0] = now_ms + (150 if track.changing else 500), False
    found.take([], track.give_up(now_ns), None)
    found.take(*track.close())
    return found


def steady(now_ms: int) -> list[int]:
    return [now_ms] if now_ms % PACKET_MS == 0 else []


@settings(max_examples=15)
@given(st.integers(3000, 3500), st.integers(1000, 7000), st.integers(0, 490))
def test_another_key_is_told_apart_from_the_network_and_moves_nothing(from_ms: int, for_ms: int, shift_ms: int) -> None:
    """Neither does what can't be opened count as what waits in the jitter buffer, nor as what was lost on its way."""
    to_ms = from_ms + for_ms
    found = listened(
        to_ms / 1000 + 8, arrives=steady, opens=lambda spoken_ms: not from_ms <= spoken_ms < to_ms, shift_ms=shift_ms
    )

    [(start_ms, end_ms)] = merged_ranges(found.undeciphered)
    assert abs(start_ms - from_ms) <= EDGE_MS
    assert abs(end_ms - to_ms) <= EDGE_MS
    assert found.made_up == []
    assert len(found.displaced()) <= SPLICED
    true = set(range(1000, to_ms + 7000, PACKET_MS)) - set(range(from_ms - 60, to_ms + 60))
    assert true <= {spoken_ms // PACKET_MS * PACKET_MS for spoken_ms in found.places}


@settings(max_examples=15)
@example(from_ms=3221, for_ms=350, shift_ms=331)  # most of it lies before a reading, the rest right behind
@given(st.integers(3000, 3500), st.integers(350, 1000), st.integers(0, 490))
def test_another_key_for_less_than_a_second_is_named_all_the_same_and_moves_nothing(
    from_ms: int, for_ms: int, shift_ms: int
) -> None:
    """Perhaps for another reason: counters alone do not tell it from a hole whose packets never came."""
    to_ms = from_ms + for_ms
    found = listened(9, arrives=steady, opens=lambda spoken_ms: not from_ms <= spoken_ms < to_ms, shift_ms=shift_ms)

    assert len(found.displaced()) <= SPLICED
    [(start_ms, end_ms)] = merged_ranges(
        (start - SEAM_MS, end + SEAM_MS) for start, end in found.made_up + found.undeciphered
    )
    assert abs(start_ms + SEAM_MS - from_ms) <= RULE_MS
    assert abs(end_ms - SEAM_MS - to_ms) <= RULE_MS


@settings(max_examples=15)
@given(st.integers(300, 3500), st.integers(0, 490))
def test_what_came_all_at_once_is_not_taken_for_another_key(held_ms: int, shift_ms: int) -> None:
    """It is placed where it was spoken, as in a track that is not encrypted."""
    to_ms = 4000 + held_ms // PACKET_MS * PACKET_MS

    def arrives(now_ms: int) -> list[int]:
        if 4000 <= now_ms < to_ms:
            return []
        return list(range(4000, to_ms + 1, PACKET_MS)) if now_ms == to_ms else steady(now_ms)

    found = listened(14, arrives=arrives, opens=lambda _: True, shift_ms=shift_ms)

    assert found.undeciphered == []
    assert len([spoken_ms for spoken_ms in found.displaced() if spoken_ms > to_ms + 1000]) <= SPLICED
