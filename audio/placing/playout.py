"""When a player would have played audio that arrives ahead of its time.

A sender of segments (an agent's turns, by speech synthesis) pushes faster than real time, without timestamps, and may
take back what is not played yet. What is true of it is what a player would have played: a segment starts when it
arrives, or when the one before it has been played, and goes on in real time, by count.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import TypeAlias

from audio.pcm import SAMPLE_RATE, Pcm
from audio.placing.pcm_queue import PcmQueue
from audio.placing.timeline import Placed


@dataclass(frozen=True, slots=True)
class Overflown:
    """Samples [start, end) would have been played, but there was no room to keep them until then."""

    start_sample: int
    end_sample: int


@dataclass(frozen=True, slots=True)
class Started:
    """A segment's first sample is played."""

    segment: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A segment will not be played any further; every segment comes to this, once.

    `played_samples` is how far it got, `interrupted` whether more of it could have been played.
    """

    segment: int
    played_samples: int
    interrupted: bool


@dataclass(slots=True)
class PlayoutBudget:
    """How many samples several players may keep between them."""

    left_samples: int


PlayoutEvent: TypeAlias = Placed | Overflown | Started | Finished


@dataclass(slots=True)
class _Segment:
    number: int
    waiting: PcmQueue = field(default_factory=PcmQueue)
    arrived_sample: int | None = None  # when the first of it did
    started: bool = False
    ended: bool = False
    played_samples: int = 0


class Playout:
    """Plays the segments of one sender, one after the other, in the order in which they were opened.

    Instants are positions on the session's clock and never go back from call to call. Samples that arrive when there is
    nothing left to play are late: within the tolerance they follow what was played before as if they had been there
    (a player has that much in hand), else they are played when they arrive. What is returned never overlaps, and
    starts only grow.
    """

    def __init__(self, budget: PlayoutBudget, *, tolerance_samples: int = SAMPLE_RATE // 10) -> None:
        self._budget = budget
        self._tolerance_samples = tolerance_samples
        self._segments: deque[_Segment] = deque()
        self._head_sample = 0  # where the next sample goes, unless that is too late or too early
        self._events: list[PlayoutEvent] = []

    @property
    def segments(self) -> int:
        """How many are open, or wait to be played."""
        return len(self._segments)

    @property
    def next_sample(self) -> int | None:
        """When what is being played ends, as things are; None while nothing is."""
        segment = self._segments[0] if self._segments else None
        if segment is None or segment.waiting.samples == 0:
            return None
        return self._head_sample + segment.waiting.samples

    def open(self, number: int) -> None:
        """A segment begins, after all that were opened before it."""
        self._segments.append(_Segment(number))

    def push(self, number: int, pcm: Pcm, arrival_sample: int) -> None:
        """Samples of an open segment, shape (n,), have arrived; those of a segment that is gone are ignored."""
        self._play(arrival_sample)
        segment = self._find(number)
        if segment is None or segment.ended or len(pcm) == 0:
            return
        if segment.arrived_sample is None:
            segment.arrived_sample = arrival_sample
        is_starving = segment.started and segment.waiting.samples == 0
        if is_starving and arrival_sample - self._head_sample > self._tolerance_samples:
            self._head_sample = arrival_sample
        before = segment.waiting.kept_samples
        segment.waiting.push(pcm, self._budget.left_samples)
        self._budget.left_samples -= segment.waiting.kept_samples - before

    def end(self, number: int, now_sample: int) -> None:
        """Nothing more of a segment will arrive."""
        self._play(now_sample)
        segment = self._find(number)
        if segment is not None:
            segment.ended = True

    def clear(self, now_sample: int) -> None:
        """Play nothing more of what has been opened so far."""
        self._play(now_sample)
        for segment in self._segments:
            self._events.append(Finished(segment.number, segment.played_samples, interrupted=True))
            self._budget.left_samples += segment.waiting.kept_samples
        self._segments.clear()
        self._head_sample = max(self._head_sample, now_sample)

    def advance(self, now_sample: int) -> list[PlayoutEvent]:
        """Play up to now; return everything that has happened since the last call, in its order."""
        self._play(now_sample)
        events, self._events = self._events, []
        return events

    def _find(self, number: int) -> _Segment | None:
        return next((segment for segment in self._segments if segment.number == number), None)

    def _play(self, now_sample: int) -> None:
        while self._segments:
            segment = self._segments[0]
            if not segment.started and segment.arrived_sample is not None:
                self._head_sample = max(self._head_sample, segment.arrived_sample)
                segment.started = True
                self._events.append(Started(segment.number))
            self._take(segment, now_sample)
            if not segment.ended or segment.waiting.samples:
                return
            self._events.append(Finished(segment.number, segment.played_samples, interrupted=False))
            self._segments.popleft()

    def _take(self, segment: _Segment, now_sample: int) -> None:
        before = segment.waiting.kept_samples
        for piece in segment.waiting.take(now_sample - self._head_sample):
            length = piece if isinstance(piece, int) else len(piece)
            end_sample = self._head_sample + length
            self._events.append(
                Overflown(self._head_sample, end_sample)
                if isinstance(piece, int)
                else Placed(self._head_sample, now_sample, piece)
            )
            self._head_sample = end_sample
            segment.played_samples += length
        self._budget.left_samples += before - segment.waiting.kept_samples
