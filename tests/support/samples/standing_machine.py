"""A process that stands still and wakes, with one track: simulated by the millisecond."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from audio.pcm import Pcm
from audio.ranges import Range, merged_ranges
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

    def record(self, stood_ms: int, shift_ms: int) -> "Outcome":
        """Stand still for so long."""
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
        return Outcome(stood_ms, found, list(found.made_up), (from_ns * 1000 // SECOND_NS, to_ns * 1000 // SECOND_NS))


@dataclass(frozen=True)
class Outcome:
    """What came out, and all gaps in milliseconds.

    Attributes:
        told: by the track itself.
        missed: what it answers when it is asked what a standstill of the process cost.
    """

    stood_ms: int
    found: Listened
    told: list[Range]
    missed: Range

    def undeclared(self, gaps: list[Range]) -> list[int]:
        """When packets were spoken that are not where they were spoken, and lie in no gap."""
        spoken = set(range(1000, STOPPED_MS + self.stood_ms + AFTER_MS - 1000, PACKET_MS))
        return [ms for ms in sorted(spoken - self._right()) if not _within(ms, gaps, EDGE_MS)]

    def false(self, gaps: list[Range]) -> list[int]:
        """When packets were spoken that are where they were spoken, though a gap says otherwise."""
        return [ms for ms in sorted(self._right()) if _within(ms, gaps, -EDGE_MS)]

    def _right(self) -> set[int]:
        return {ms // PACKET_MS * PACKET_MS for ms in self.found.places}


def _within(spoken_ms: int, gaps: list[Range], edge_ms: int) -> bool:
    return any(
        start - edge_ms <= spoken_ms and spoken_ms + PACKET_MS <= end + edge_ms for start, end in merged_ranges(gaps)
    )
