"""Who speaks when: the voiced stretches of all tracks, in the order of time."""

import heapq
import itertools
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from audio.pcm import SPEECH_RATE, Pcm
from audio.ranges import Range
from audio.track_audio import TrackAudio
from worker.speech.voice_gate import find_voice


@dataclass(frozen=True, slots=True)
class Utterance:
    """A stretch of one track that holds a voice; `voiced` in samples at 16 kHz from the session's start on."""

    track: TrackAudio
    voiced: Range

    @property
    def start_ms(self) -> int:
        """Where it begins."""
        return self.voiced[0] * 1000 // SPEECH_RATE

    @property
    def end_ms(self) -> int:
        """Where it ends."""
        return self.voiced[1] * 1000 // SPEECH_RATE

    @property
    def external_id(self) -> str:
        """What it is called in the log: the same whenever and wherever this recording is listened to."""
        return f"{self.track.label.identity}/{self.track.label.sid}/{self.voiced[0]}"

    def pcm(self) -> Pcm:
        """Its samples, shape (n,), in memory."""
        return np.array(self.track.samples[self.voiced[0] : self.voiced[1]], dtype=np.int16)


def find_utterances(tracks: Sequence[TrackAudio], canceled: threading.Event) -> Iterator[Utterance]:
    """Yield them by their starts, each as soon as it is known. Blocks; raises as `find_voice` does.

    A detector takes 10 MB, so a track is listened to only from where it begins.
    """
    upcoming = deque(sorted(tracks, key=lambda track: track.first_sample))
    found: list[tuple[int, int, Utterance, Iterator[Range]]] = []
    order = itertools.count()

    def look(track: TrackAudio, ranges: Iterator[Range]) -> None:
        voiced = next(ranges, None)
        if voiced is not None:
            heapq.heappush(found, (voiced[0], next(order), Utterance(track, voiced), ranges))

    while upcoming or found:
        if upcoming and (not found or upcoming[0].first_sample <= found[0][0]):
            track = upcoming.popleft()
            look(track, find_voice(track.samples, canceled))
        else:
            *_, utterance, ranges = heapq.heappop(found)
            yield utterance
            look(utterance.track, ranges)
