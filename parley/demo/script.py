"""What the two talkers say, and when: bundled speech, made with espeak-ng by tools/make_demo_speech.py."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

SPOKEN_RATE = 24_000
TALKERS = ("alice", "bob")

_FOLDER = Path(__file__).with_name("speech")
_LEAD_IN_MS = 1000
_PAUSE_MS = 350
_LEAD_OUT_MS = 700

Speech = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance: who, from which millisecond of the conversation, and its samples, shape (n,) at SPOKEN_RATE."""

    who: str
    at_ms: int
    speech: Speech

    @property
    def duration_ms(self) -> int:
        """How long it takes."""
        return len(self.speech) * 1000 // SPOKEN_RATE

    @property
    def end_ms(self) -> int:
        """When it is over."""
        return self.at_ms + self.duration_ms


@lru_cache
def turns() -> tuple[Turn, ...]:
    """The conversation, in order."""
    spoken: list[Turn] = []
    at_ms = _LEAD_IN_MS
    for path in sorted(_FOLDER.glob("*.ogg")):
        speech, rate = soundfile.read(path, dtype="int16")
        assert rate == SPOKEN_RATE
        spoken.append(Turn(path.stem.partition("_")[2], at_ms, speech))
        at_ms = spoken[-1].end_ms + _PAUSE_MS
    return tuple(spoken)


def duration_ms() -> int:
    """Length of the whole conversation, silence at both ends included."""
    return turns()[-1].end_ms + _LEAD_OUT_MS


def part_of(who: str) -> Speech:
    """Everything that `who` sends: speech in its places, silence elsewhere; shape (n,)."""
    part = np.zeros(duration_ms() * SPOKEN_RATE // 1000, dtype=np.int16)
    for turn in turns():
        if turn.who == who:
            start = turn.at_ms * SPOKEN_RATE // 1000
            part[start : start + len(turn.speech)] = turn.speech
    return part


def repeated(part: Speech, samples: int, chunk_samples: int) -> Iterator[Speech]:
    """`part` again and again, or its beginning, `samples` in all; in chunks, of which the last may be short."""
    for start in range(0, samples, chunk_samples):
        yield part.take(range(start, min(start + chunk_samples, samples)), mode="wrap")
