"""Who speaks when: the voiced stretches of all tracks, in the order of time, found while the tracks are read."""

import heapq
import itertools
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from audio.pcm import SPEECH_RATE, Pcm
from audio.ranges import Range
from audio.segments.track_tally import TrackLabel
from audio.track_audio import TrackPiece
from sessions.texts.kept_text import kept_id
from worker.outputs.speech.voice_detector import VoiceModel, voice_model
from worker.outputs.speech.voice_gate import VoiceGate

_TRACKS_AT_ONCE = 2  # one per side of a conversation; the detector releases the GIL

Told = Callable[[TrackLabel], Sequence[Range]]


@dataclass(frozen=True, slots=True)
class Utterance:
    """A stretch of one track that holds a voice.

    Attributes:
        start_sample: at 16 kHz, from the session's start on.
        pcm: its samples, int16 of shape (n,) at 16 kHz; at most 15 s.
    """

    label: TrackLabel
    start_sample: int
    pcm: Pcm

    @property
    def start_ms(self) -> int:
        """Where it begins."""
        return self.start_sample * 1000 // SPEECH_RATE

    @property
    def end_ms(self) -> int:
        """Where it ends."""
        return (self.start_sample + len(self.pcm)) * 1000 // SPEECH_RATE

    @property
    def external_id(self) -> str:
        """Its id in the log: the same whoever transcribes this recording, and whenever."""
        return kept_id(f"{self.label.identity}/{self.label.sid}/{self.start_sample}")


def _nothing(_: TrackLabel) -> Sequence[Range]:
    return ()


def find_utterances(tracks: Iterable[list[TrackPiece]], told: Told = _nothing) -> Generator[Utterance, None, None]:
    """Yield utterances in the order of their starts, each as soon as no other can have begun before it.

    Args:
        tracks: as `read_tracks` yields them; only what an utterance may still need is kept in memory.
        told: stretches of a track, in samples at 16 kHz, disjoint and in order, of which nothing is wanted again.

    Raises:
        SpeechError: `speech.engine_missing`.
    """
    model = voice_model()
    listeners: dict[TrackLabel, TrackListener] = {}
    found: list[tuple[int, int, Utterance]] = []
    order = itertools.count()
    rested = 0  # before which no track begins that is not heard now

    def note(utterances: Iterable[Utterance]) -> None:
        for one in utterances:
            heapq.heappush(found, (one.start_sample, next(order), one))

    with ThreadPoolExecutor(_TRACKS_AT_ONCE, "voice") as threads:
        for pieces in tracks:
            for utterances in threads.map(_hear_all, _by_listener(pieces, listeners, model, told)):
                note(utterances)
            for piece in pieces:
                if piece.rests:
                    note(listeners.pop(piece.label).finish())
                    rested = max(rested, piece.start_sample - SPEECH_RATE)
            earliest = min((one.earliest for one in listeners.values()), default=rested)
            while found and found[0][0] <= earliest:
                yield heapq.heappop(found)[2]
    for listener in listeners.values():
        note(listener.finish())
    while found:
        yield heapq.heappop(found)[2]


def _by_listener(
    pieces: Iterable[TrackPiece], listeners: dict[TrackLabel, "TrackListener"], model: VoiceModel, told: Told
) -> list[tuple["TrackListener", list[TrackPiece]]]:
    by_track: dict[TrackLabel, list[TrackPiece]] = defaultdict(list)
    for piece in pieces:
        by_track[piece.label].append(piece)
    for label in by_track:
        if label not in listeners:
            listeners[label] = TrackListener(label, VoiceGate(model, told(label)))
    return [(listeners[label], own) for label, own in by_track.items()]


def _hear_all(track: tuple["TrackListener", list[TrackPiece]]) -> list[Utterance]:
    listener, pieces = track
    return [utterance for piece in pieces for utterance in listener.hear(piece)]


class TrackListener:
    """Tells the utterances of one track; it keeps what the gate may still ask for."""

    def __init__(self, label: TrackLabel, gate: VoiceGate) -> None:
        self._label = label
        self._gate = gate
        self._kept: deque[TrackPiece] = deque()
        self._end = 0

    @property
    def earliest(self) -> int:
        """The first sample at which a later utterance can begin."""
        return self._gate.earliest

    def hear(self, piece: TrackPiece) -> Iterator[Utterance]:
        """Take what comes next."""
        silent, self._end = piece.start_sample - self._end, piece.start_sample
        yield from map(self._utterance, self._gate.hear_silence(silent))
        self._end = piece.end_sample
        self._kept.append(piece)
        yield from map(self._utterance, self._gate.hear(piece.samples))
        while self._kept and self._kept[0].end_sample <= self._gate.earliest:
            self._kept.popleft()

    def finish(self) -> Iterator[Utterance]:
        """The track is over."""
        yield from map(self._utterance, self._gate.finish())

    def _utterance(self, voiced: Range) -> Utterance:
        start, end = voiced[0], min(voiced[1], self._end)
        pcm = np.zeros(end - start, dtype=np.int16)
        for piece in self._kept:
            low, high = max(start, piece.start_sample), min(end, piece.end_sample)
            if low < high:
                pcm[low - start : high - start] = piece.samples[low - piece.start_sample : high - piece.start_sample]
        return Utterance(self._label, start, pcm)
