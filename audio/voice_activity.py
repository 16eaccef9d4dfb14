"""From a voice detector's probabilities to the stretches that are worth recognizing."""

from audio.ranges import Range

START_PROBABILITY = 0.5
STOP_PROBABILITY = 0.35
MERGE_MS = 600  # a shorter pause belongs to the sentence; longer than two paddings, so that these never meet
LEAST_MS = 200  # a shorter voice is a click
PADDING_MS = 200  # before and after, so that no consonant is lost
LONGEST_MS = 15_000  # what engines are made for, and what is heard again when one fails
CUT_MS = 5_000, 12_500  # of a speech that is longer: it is cut in there, where the voice is weakest


class VoicedStretches:
    """Takes the probability of voice of window after window, and tells the stretches [start, end) in samples.

    They are told in order, disjoint, none longer than 15 s, each as soon as the pause behind it is long enough.
    """

    def __init__(self, window_samples: int, sample_rate: int) -> None:
        self._window = window_samples
        self._merge, self._least, self._padding, self._longest, *cut = (
            ms * sample_rate // 1000 for ms in (MERGE_MS, LEAST_MS, PADDING_MS, LONGEST_MS, *CUT_MS)
        )
        self._cut_windows = range(cut[0] // window_samples, cut[1] // window_samples)
        self._position = 0
        self._is_voice = False
        self._first: int | None = None  # where the stretch began that may still go on
        self._end = 0  # where its last window with a voice ended
        self._lead = self._padding  # padding before the first window; what goes on behind a cut has none
        self._probabilities: list[float] = []  # of its windows

    @property
    def is_idle(self) -> bool:
        """Whether no stretch has begun that may still go on."""
        return self._first is None

    @property
    def earliest(self) -> int:
        """The first sample that a stretch to come can have."""
        return max((self._position if self._first is None else self._first) - self._lead, 0)

    def hear(self, probability: float) -> Range | None:
        """Take the next window; return the stretch that it completes, if any."""
        self._is_voice = probability >= (STOP_PROBABILITY if self._is_voice else START_PROBABILITY)
        if self._first is None:
            if not self._is_voice:
                self._position += self._window
                return None
            self._first = self._position
        self._probabilities.append(probability)
        self._position += self._window
        if self._is_voice:
            self._end = self._position
        elif self._position - self._end >= self._merge:
            return self.finish()
        if self._position + self._window - self._first + 2 * self._padding > self._longest:
            return self._cut(self._first)
        return None

    def skip(self, windows: int) -> None:
        """Take so many windows without a voice at once; only when idle."""
        self._position += windows * self._window

    def finish(self) -> Range | None:
        """Return the stretch that had not ended yet; it may reach past what was heard by its padding."""
        first, lead = self._first, self._lead
        self._first, self._lead = None, self._padding
        self._probabilities = []
        if first is None or (lead and self._end - first < self._least):
            return None
        return max(first - lead, 0), self._end + self._padding

    def _cut(self, first: int) -> Range:
        at = min(reversed(self._cut_windows), key=self._probabilities.__getitem__)
        stretch = max(first - self._lead, 0), first + at * self._window
        self._first, self._lead = stretch[1], 0
        self._probabilities = self._probabilities[at:]
        return stretch
