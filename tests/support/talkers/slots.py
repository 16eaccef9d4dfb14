"""A talker whose audio says when it was spoken, and what a recording has of it.

Time is cut into slots of 100 ms. Each slot sounds two tones, which spell the last digits of its number; every talker
has tones of their own. So each 100 ms of a mix tells which slots are in it, whose they are, and how late they came.
"""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import numpy as np
from livekit import rtc
from numpy.typing import NDArray

from worker.room.livekit.native_library import load_quietly

SAMPLE_RATE = 48_000
SLOT_SECONDS = 0.1
SLOT_SAMPLES = SAMPLE_RATE // 10
_TONES = 8  # per digit
_SPACING_HZ = 90.0
_AMPLITUDE = 6000.0  # of each of the two tones
_RAMP_SAMPLES = 240
_WINDOW_SAMPLES = SAMPLE_RATE * 8 // 100
_HOP_SAMPLES = SAMPLE_RATE // 100
_WINDOWS_AT_ONCE = 6000  # a minute; an hour's would take 11 GB
_LEAST_FRAMES = 3  # windows that lie wholly in one slot
_LEAST_LEVEL = 0.25  # of what a tone has when it is sent
_LEAST_LEAD = 1.5  # of the loudest tone of a digit over the next one
_SEARCH_SECONDS = 0.5  # a slot may lie so far from its place; the same digits come again after 6.4 s
_QUEUE_MS = 200
_UNSENT_SECONDS = 0.3  # of what was pushed right before somebody leaves, nobody knows whether it was sent
_LATE_SECONDS = 0.15  # a slot that was pushed so late may have come out torn


@dataclass(frozen=True, slots=True)
class SlotVoice:
    """The tones of one talker; `number` 0, 1, … keep apart in a mix."""

    number: int

    @property
    def pitches_hz(self) -> NDArray[np.float64]:
        """Shape (2, 8): the tones of the last digit to the base 8, and of the one before."""
        first = 400.0 + 1600.0 * self.number
        steps = np.arange(_TONES) * _SPACING_HZ
        return np.stack([first + steps, first + 800.0 + steps])

    def slot(self, number: int) -> NDArray[np.int16]:
        """The samples of one slot, shape (4800,)."""
        since = np.arange(SLOT_SAMPLES)
        gain = np.clip(np.minimum(since, SLOT_SAMPLES - since) / _RAMP_SAMPLES, 0.0, 1.0)
        low, high = number % _TONES, number // _TONES % _TONES
        tones = (self.pitches_hz[0, low], self.pitches_hz[1, high])
        wave = sum(np.sin(2 * np.pi * pitch * since / SAMPLE_RATE) for pitch in tones)
        return np.asarray(np.rint(_AMPLITUDE * gain * wave), dtype=np.int16)


@dataclass(frozen=True, slots=True)
class Sent:
    """One slot that was spoken: when it began, in seconds of whatever clock."""

    number: int
    at: float


def found_slots(samples: NDArray[np.int16], voice: SlotVoice, sent: Sequence[Sent]) -> dict[int, float]:
    """Where slots lie in a recording.

    Args:
        samples: shape (n,), 48 kHz.
        sent: with the places where they should be, in seconds of the recording.

    Returns:
        Number of each slot that is there → where it begins, in seconds. A slot of which less than about 100 ms are
        there is not.
    """
    centers, codes = _codes(samples, voice)
    found: dict[int, float] = {}
    for slot in sent:
        middle = slot.at + SLOT_SECONDS / 2
        first, last = np.searchsorted(centers, [middle - _SEARCH_SECONDS, middle + _SEARCH_SECONDS])
        own = centers[first:last][codes[first:last] == slot.number % _TONES**2]
        if len(own) >= _LEAST_FRAMES:
            found[slot.number] = float(np.mean(own)) - SLOT_SECONDS / 2
    return found


def _codes(samples: NDArray[np.int16], voice: SlotVoice) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """What is heard around each instant: the last two digits of a slot's number, -1 where that is not clear."""
    if len(samples) < _WINDOW_SAMPLES:
        return np.zeros(0), np.zeros(0, dtype=np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW_SAMPLES)[::_HOP_SAMPLES]
    at = np.arange(_WINDOW_SAMPLES) / SAMPLE_RATE
    shape = np.hanning(_WINDOW_SAMPLES)
    basis = np.exp(-2j * np.pi * np.outer(at, voice.pitches_hz.ravel())) * shape[:, None] * 2 / shape.sum()
    parts = (windows[start : start + _WINDOWS_AT_ONCE] for start in range(0, len(windows), _WINDOWS_AT_ONCE))
    levels = np.concatenate([np.abs(part.astype(np.float64) @ basis) for part in parts]).reshape(-1, 2, _TONES)
    ordered = np.sort(levels, axis=2)
    clear = (ordered[:, :, -1] > _LEAST_LEVEL * _AMPLITUDE) & (ordered[:, :, -1] > _LEAST_LEAD * ordered[:, :, -2])
    digits = np.argmax(levels, axis=2)
    codes = np.where(clear.all(axis=1), digits[:, 0] + _TONES * digits[:, 1], -1)
    centers = (np.arange(len(windows)) * _HOP_SAMPLES + _WINDOW_SAMPLES / 2) / SAMPLE_RATE
    return centers, codes


def spoilt_by_standstill(number: int, begun: float, now: float) -> range:
    """The slots that a talker spoils whose machine stood still before it could push slot `number`.

    It goes on with the first slot behind them, whose time has not come yet: if it pushed all of them late, a source
    with a queue would say everything that follows as late, until the end.

    Args:
        begun: when slot 0 was due, in seconds of the clock of `now`.
    """
    on_time = max(math.floor((now - begun) / SLOT_SECONDS), number + 1)
    while begun + on_time * SLOT_SECONDS < now:  # as `due` is computed: a quotient may be rounded otherwise
        on_time += 1
    return range(number - 1, on_time)


@dataclass(slots=True)
class SlotTalker:
    """A participant who joins, publishes, and speaks slot after slot in real time until the end of the block.

    Attributes:
        sent: every slot that was spoken, with the second (`time.time()`) at which it began.
        torn: numbers of slots that this machine should have pushed while it stood still, or that were still in the
            source when its participant left: nothing can be said of them.
    """

    url: str
    token: str
    voice: SlotVoice
    sent: list[Sent] = field(default_factory=list)
    torn: set[int] = field(default_factory=set)
    encryption: rtc.E2EEOptions | None = None
    queue_ms: int = _QUEUE_MS  # of the source; without one, what is not pushed in time is not even silence
    room: rtc.Room = field(default_factory=rtc.Room)
    _source: rtc.AudioSource | None = None
    _talking: "asyncio.Task[None] | None" = None
    _stalled_until: float = 0.0

    async def __aenter__(self) -> Self:
        load_quietly()
        await self.room.connect(self.url, self.token, rtc.RoomOptions(auto_subscribe=False, encryption=self.encryption))
        self._source = rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=self.queue_ms)
        track = rtc.LocalAudioTrack.create_audio_track("slots", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
        await self.room.local_participant.publish_track(track, options)
        self._talking = asyncio.create_task(self._talk(self._source))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._talking is not None:
            self._talking.cancel()
            await asyncio.wait({self._talking})
        left_at = time.time()
        self.torn |= {slot.number for slot in self.sent if slot.at > left_at - _UNSENT_SECONDS}
        await self.room.disconnect()
        if self._source is not None:
            await self._source.aclose()

    def stall(self, seconds: float) -> None:
        """Say nothing from the next slot on, as a sound card that stands still; then go on with the slot of then."""
        self._stalled_until = time.time() + seconds

    async def _talk(self, source: rtc.AudioSource) -> None:
        number, begun = 0, time.time()
        while True:
            due = begun + number * SLOT_SECONDS
            await asyncio.sleep(max(due - time.time(), 0))
            if time.time() < self._stalled_until:
                number += 1
                continue
            if time.time() - due > _LATE_SECONDS:
                spoilt = spoilt_by_standstill(number, begun, time.time())
                self.sent += [Sent(one, begun + one * SLOT_SECONDS) for one in range(number, spoilt.stop)]
                self.torn.update(spoilt)
                number = spoilt.stop
                continue
            self.sent.append(Sent(number, due))
            await self._say(source, self.voice.slot(number), due)
            number += 1

    async def _say(self, source: rtc.AudioSource, block: NDArray[np.int16], due: float) -> None:
        piece = SLOT_SAMPLES if self.queue_ms else SLOT_SAMPLES // 10
        for start in range(0, SLOT_SAMPLES, piece):
            if not self.queue_ms:
                await asyncio.sleep(max(due + start / SAMPLE_RATE - time.time(), 0))
            frame = rtc.AudioFrame(block[start : start + piece].tobytes(), SAMPLE_RATE, 1, piece)
            await source.capture_frame(frame)


@dataclass(frozen=True, slots=True)
class Truth:
    """How a recording and its document compare with what was spoken.

    Attributes:
        heard: how many slots are in the file.
        missing: slots that are not.
        delay: by how many seconds slots lie after they were spoken, the median.
        undeclared: slots that are not in the file and in no gap.
        false: slots that are in the file where a gap says that nothing true is.
        off: how far each slot lies from its place, in seconds.
    """

    heard: int
    missing: list[int]
    delay: float
    undeclared: list[int]
    false: list[int]
    off: list[float] = field(repr=False)

    @property
    def lost(self) -> int:
        """How many slots are not in the file."""
        return len(self.missing)

    @property
    def placing(self) -> float:
        """How far slots lie from their place, in seconds, at the 95th percentile."""
        return float(np.percentile(self.off, 95)) if self.off else 0.0


_START_SECONDS = 0.5  # of a session or of a talker, until its track is subscribed
_EDGE_SECONDS = 0.2  # a gap may begin so much too late and end so much too early, or be as much too wide


def compare(
    samples: NDArray[np.int16],
    voice: SlotVoice,
    sent: Sequence[Sent],
    gaps: Sequence[dict[str, Any]],
    torn: frozenset[int] | set[int] = frozenset(),
    *,
    identity: str,
) -> Truth:
    """Hold a recording, and the gaps that it declares, against what was spoken.

    Args:
        samples: shape (n,), 48 kHz, from the session's start.
        sent: slots with their instants in seconds since the session's start.
        gaps: as a recording lists them; those of others say nothing of this one.
        torn: slots of which nothing can be said.
        identity: of the participant who spoke.
    """
    own = [gap for gap in gaps if gap.get("identity") in (None, identity)]
    length = len(samples) / SAMPLE_RATE
    begins = max(sent[0].at, 0) + _START_SECONDS if sent else 0
    inside = [
        slot
        for slot in sent
        if slot.number not in torn and begins < slot.at < length - SLOT_SECONDS - 2 * _EDGE_SECONDS
    ]
    found = found_slots(samples, voice, inside)
    lateness = {slot.number: found[slot.number] - slot.at for slot in inside if slot.number in found}
    delay = float(np.median(list(lateness.values()))) if lateness else 0.0

    def lies_in_a_gap(slot: Sent, edge: float) -> bool:
        start = slot.at + delay
        ranges = [(gap["start_ms"] / 1000, gap["end_ms"] / 1000) for gap in own]
        return any(first - edge <= start and start + SLOT_SECONDS <= last + edge for first, last in ranges)

    return Truth(
        heard=len(found),
        missing=[slot.number for slot in inside if slot.number not in found],
        delay=delay,
        undeclared=[
            slot.number for slot in inside if slot.number not in found and not lies_in_a_gap(slot, _EDGE_SECONDS)
        ],
        false=[slot.number for slot in inside if slot.number in found and lies_in_a_gap(slot, -_EDGE_SECONDS)],
        off=[abs(late - delay) for late in lateness.values()],
    )
