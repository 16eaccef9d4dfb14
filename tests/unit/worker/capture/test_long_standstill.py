"""A track whose process stood still: what is not placed where it was spoken lies in what was missed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.pcm import Pcm
from audio.ranges import merged_ranges
from store.database.boot_clock import SECOND_NS
from store.database.clock import ClockPair
from tests.support.samples.receiver import PACKET_MS, STEP_MS, Receiver
from tests.support.talkers.listened import Listened
from worker.capture.room_track import RoomTrack
from worker.clock.session_clock import SessionClock

STARTED = datetime(2026, 1, 1, tzinfo=UTC)
FRAME_MS = 100
STOPPED_MS = 4000
AFTER_MS = 14_000
FULL_PACKETS = 200  # NetEq's buffer
EDGE_MS = 200
LATE_MS = 280  # while a buffer drains at up to a third more than the speed of speech; a frame is 100 ms
SPLICED = 10  # packets in the 0.2 s around a seam, of which frames that were blended may say anything


@dataclass
class Machine:
    """How a process wakes: its network thread and its audio thread race, and its socket has kept so many packets."""

    socket_packets: int
    read_per_step: int  # packets
    pulls_per_step: int  # of 10 ms
    drain: float
    lag_ms: int  # of a reading
    slow_ms: int  # by which frames reach the event loop later than answers do, when it wakes
    doubles: int
    latest_ms: int = 0  # that something was missed before the end
    _socket: list[int] = field(default_factory=list)

    def record(self, stood_ms: int, shift_ms: int) -> tuple[Listened, list[tuple[int, int]]]:
        """Stand still for so long; what came out, and all gaps in milliseconds."""
        woke_ms = STOPPED_MS + stood_ms
        receiver, found, hurried = Receiver(self.doubles), Listened(), [False]
        clock = SessionClock(STARTED, ClockPair(STARTED, boottime_ns=0, uncertainty_ns=0))
        track = RoomTrack(1, "TR_a", "ann", clock, lambda: hurried.__setitem__(0, True))
        next_ms, due_pulls, now_ns = 100 + shift_ms, 0, 0
        block: list[int] = []  # per step
        frames: list[tuple[int, Pcm]] = []  # that the event loop has not got yet
        for now_ms in range(0, woke_ms + AFTER_MS, STEP_MS):
            receiver.now_ms, now_ns = now_ms, now_ms * SECOND_NS // 1000
            stands = STOPPED_MS <= now_ms < woke_ms
            if now_ms % PACKET_MS == 0 and (not stands or len(self._socket) < self.socket_packets):
                self._socket.append(now_ms)
            due_pulls += 1
            if stands:
                continue
            for spoken_ms in self._socket[: self.read_per_step]:
                receiver.arrive_at_most(spoken_ms, FULL_PACKETS)
            del self._socket[: self.read_per_step]
            pulls = min(due_pulls, self.pulls_per_step)
            due_pulls -= pulls
            for _ in range(pulls):
                receiver.play(self.drain if receiver.waiting > 5 else 1.0)
                block.append(0 if receiver.silent else round(receiver.playing_ms / PACKET_MS))
                if len(block) * STEP_MS == FRAME_MS:
                    frames.append((now_ms, np.repeat(np.asarray(block, dtype=np.int16), 48 * STEP_MS)))
                    block = []
            if now_ms >= next_ms or hurried[0]:
                found.take(*track.read(receiver.reading(), now_ns - self.lag_ms * SECOND_NS // 1000))
                next_ms, hurried[0] = now_ms + (150 if track.changing else 500), False
            while frames and frames[0][0] <= now_ms - (self.slow_ms if now_ms < woke_ms + 1000 else 0):
                pcm = frames.pop(0)[1]
                track.is_clear(now_ns, len(pcm))
                found.take(track.push(now_ns, pcm), [], None)
            found.take(track.tick(now_ns), [], None)
        from_ns, to_ns = track.missed(STOPPED_MS * SECOND_NS // 1000, woke_ms * SECOND_NS // 1000) or (0, now_ns)
        self.latest_ms = max((end for _, end in found.made_up), default=0)
        found.take([], track.give_up(now_ns), None)
        found.take(*track.close())
        return found, [*found.made_up, (from_ns * 1000 // SECOND_NS, to_ns * 1000 // SECOND_NS)]


machines = st.builds(
    Machine,
    socket_packets=st.integers(50, 700),
    read_per_step=st.sampled_from([5, 20, 1000]),
    pulls_per_step=st.sampled_from([20, 100, 2000]),
    drain=st.floats(1.0, 1.35),
    lag_ms=st.integers(0, 60),
    slow_ms=st.sampled_from([0, 10, 50]),
    doubles=st.sampled_from([0, 1]),
)


@settings(max_examples=40, print_blob=True)
@given(machines, st.integers(3000, 11_000), st.integers(0, 490))
def test_what_is_not_where_it_was_spoken_lies_in_what_was_missed(
    machine: Machine, stood_ms: int, shift_ms: int
) -> None:
    """Whatever the socket kept, the buffer let go, and whichever thread was faster."""
    stood_ms = stood_ms // PACKET_MS * PACKET_MS
    found, gaps = machine.record(stood_ms, shift_ms)

    assert len(found.displaced(LATE_MS)) <= SPLICED, sorted(found.displaced(LATE_MS))
    spoken = set(range(1000, STOPPED_MS + stood_ms + AFTER_MS - 1000, PACKET_MS))
    right = {ms // PACKET_MS * PACKET_MS for ms in found.places}
    undeclared = [ms for ms in sorted(spoken - right) if not _within(ms, gaps, EDGE_MS)]
    assert len(undeclared) <= SPLICED, undeclared
    false = [ms for ms in sorted(right) if _within(ms, gaps, -EDGE_MS)]
    assert len(false) <= SPLICED, false
    assert machine.latest_ms <= STOPPED_MS + stood_ms + 6500, "what is live is believed in the end"


def _within(spoken_ms: int, gaps: list[tuple[int, int]], edge_ms: int) -> bool:
    return any(start - edge_ms <= spoken_ms and spoken_ms + PACKET_MS <= end + edge_ms for start, end in _joined(gaps))


def _joined(gaps: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    yield from merged_ranges(gaps)
