"""From a voice detector's probabilities to the stretches that are worth recognizing."""

from collections import deque
from collections.abc import Iterable

from audio.ranges import Range

START_PROBABILITY = 0.5
STOP_PROBABILITY = 0.35
MERGE_MS = 600  # a shorter pause belongs to the sentence; longer than two paddings, so that these never meet
TIRING_MS = 4_000, 12_000  # the longer somebody has spoken, the shorter a pause is enough to end it
SHORTEST_PAUSE_MS = 96  # shorter ones are within words
LEAST_MS = 200  # a shorter voice is a click, unless words were just before it
PADDING_MS = 200  # before and after, so that no consonant is lost
LONGEST_MS = 15_000  # what engines are made for, and what is heard again when one fails
CUT_MS = 12_500, 14_400  # of a speech that is longer: it is cut in there, where the voice is weakest


class VoicedStretches:
    """Takes the probability of voice of window after window, and tells the stretches [start, end) in samples.

    They are told in order, disjoint, none longer than 15 s, each as soon as the pause behind it is long enough: 0.6 s
    after its voice at most, or 2.1 s after its end where it is cut. Of `told`, which is disjoint and sorted, nothing is
    told again.
    """

    def __init__(self, window_samples: int, sample_rate: int, told: Iterable[Range] = ()) -> None:
        def samples(ms: int) -> int:
            return ms * sample_rate // 1000

        self._window = window_samples
        self._merge, self._shortest_pause = samples(MERGE_MS), samples(SHORTEST_PAUSE_MS)
        self._least, self._padding, self._longest = samples(LEAST_MS), samples(PADDING_MS), samples(LONGEST_MS)
        self._fresh, self._tired = samples(TIRING_MS[0]), samples(TIRING_MS[1])
        self._cut_windows = range(samples(CUT_MS[0]) // window_samples, samples(CUT_MS[1]) // window_samples)
        self._position = 0
        self._is_voice = False
        self._first: int | None = None  # where the stretch began that may still go on
        self._end = -self._merge  # where the last window with a voice ended
        self._tellings = deque(told)  # of others, which end behind where we are
        self._told = 0  # where the last stretch ended: the next one begins behind it
        self._goes_on = False  # whether words were just before it
        self._probabilities: list[float] = []  # of its windows

    @property
    def is_idle(self) -> bool:
        """Whether no stretch has begun that may still go on."""
        return self._first is None

    @property
    def earliest(self) -> int:
        """The first sample that a stretch to come can have."""
        return max((self._position if self._first is None else self._first) - self._padding, self._told)

    @property
    def is_told_for(self) -> int:
        """How many samples from here on are told already."""
        return self._tellings[0][1] - self._position if self._is_told_by_others() else 0

    def hear(self, probability: float) -> Range | None:
        """Take the next window; return the stretch that it completes, if any."""
        self._is_voice = probability >= (STOP_PROBABILITY if self._is_voice else START_PROBABILITY)
        if self._is_told_by_others():
            return self._pass_over()
        if self._first is None:
            if not self._is_voice:
                self._position += self._window
                return None
            self._first = self._position
            self._goes_on = self._first - self._end < self._merge
        self._probabilities.append(probability)
        self._position += self._window
        pause = self._position - self._end
        if self._is_voice:
            self._end = self._position
        elif pause >= self._patience(self._end - self._first):
            return self._tell(min(self._padding, pause // 2))
        if self._position + self._window - self._first + 2 * self._padding > self._longest:
            return self._cut(self._first)
        return None

    def skip(self, windows: int) -> None:
        """Take so many windows without a voice at once; only when idle."""
        self._position += windows * self._window

    def finish(self) -> Range | None:
        """Return the stretch that had not ended yet; it may reach past what was heard by its padding."""
        return self._tell(self._padding)

    def _is_told_by_others(self) -> bool:
        middle = self._position + self._window // 2
        while self._tellings and self._tellings[0][1] <= middle:
            self._told = max(self._told, self._tellings.popleft()[1])
        return bool(self._tellings) and self._tellings[0][0] <= middle

    def _pass_over(self) -> Range | None:
        """Take a window that is told already; what came before it ends there."""
        stretch = self._tell(min(self._padding, (self._position - self._end) // 2))
        self._told, self._position = self._tellings[0][1], self._position + self._window
        if self._is_voice:
            self._end = self._position
        return stretch

    def _patience(self, spoken: int) -> int:
        """The pause that ends a stretch in which somebody has spoken for so many samples."""
        tired = min(max(spoken - self._fresh, 0) / (self._tired - self._fresh), 1.0)
        return round(self._merge - tired * (self._merge - self._shortest_pause))

    def _tell(self, padding: int) -> Range | None:
        start, first = self.earliest, self._first
        self._first, self._probabilities = None, []
        if first is None or (self._end - first < self._least and not self._goes_on):
            return None
        self._told = self._end + padding
        return start, self._told

    def _cut(self, first: int) -> Range:
        at = min(reversed(self._cut_windows), key=self._probabilities.__getitem__)
        start, self._first = self.earliest, first + at * self._window
        self._told, self._goes_on = self._first, True
        self._probabilities = self._probabilities[at:]
        return start, self._told
