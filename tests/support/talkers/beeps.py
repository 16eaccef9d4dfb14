"""Content that tells whether a recording is true: talkers that beep to a plan, and a check of samples against it.

Every talker has a pitch of its own and beeps once per period; talkers with different offsets take turns. So presence,
order and spacing of everybody's beeps can be read from a mix.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import numpy as np
from livekit import api, rtc
from numpy.typing import NDArray

from worker.room.livekit.native_library import load_quietly

SAMPLE_RATE = 48_000
BLOCK_SAMPLES = SAMPLE_RATE // 10
_QUEUE_MS = 1500  # the test's own loop may stall for so long without a hole in what is published
_RAMP_SAMPLES = 240  # 5 ms: a beep without clicks in other bands
_RECOGNIZED_SECONDS = 0.025  # so much of a beep is found for sure; of less, maybe


def mint_token(
    api_key: str,
    api_secret: str,
    room: str,
    identity: str,
    *,
    name: str = "",
    ttl_seconds: float = 3600,
    **grants: Any,
) -> str:
    """A LiveKit access token; `grants` are those of `livekit.api.VideoGrants`."""
    return (
        api.AccessToken(api_key, api_secret)
        .with_identity(identity)
        .with_name(name)
        .with_ttl(timedelta(seconds=ttl_seconds))
        .with_grants(api.VideoGrants(room_join=True, room=room, **grants))
        .to_jwt()
    )


@dataclass(frozen=True, slots=True)
class BeepPlan:
    """A beep of `beep_seconds` at `pitch_hz` every `period_seconds`, the first one after `offset_seconds`."""

    pitch_hz: float
    offset_seconds: float = 0.0
    period_seconds: float = 1.0
    beep_seconds: float = 0.15
    amplitude: float = 8000.0

    def samples(self, start_sample: int, count: int) -> NDArray[np.int16]:
        """Samples [start, start + count) of the plan, shape (count,)."""
        position = np.arange(start_sample, start_sample + count)
        period, length = round(self.period_seconds * SAMPLE_RATE), round(self.beep_seconds * SAMPLE_RATE)
        since = np.mod(position - round(self.offset_seconds * SAMPLE_RATE), period)
        gain = np.clip(np.minimum(since, length - since) / _RAMP_SAMPLES, 0.0, 1.0)
        gain[position < self.offset_seconds * SAMPLE_RATE] = 0.0
        wave = self.amplitude * gain * np.sin(2 * np.pi * self.pitch_hz * position / SAMPLE_RATE)
        samples: NDArray[np.int16] = np.rint(wave).astype(np.int16)
        return samples

    def begun(self, seconds: float) -> int:
        """How many beeps have begun when so much of the plan has been played."""
        return max(0, int(np.ceil((seconds - self.offset_seconds) / self.period_seconds)))

    def found(self, seconds: float) -> range:
        """How many beeps may be found where the plan was cut off after `seconds`: the last one may be too short."""
        return range(self.begun(seconds - _RECOGNIZED_SECONDS), self.begun(seconds) + 1)


class BeepTalker:
    """A participant who joins, publishes, beeps to the plan in real time, and leaves at the end of the block."""

    def __init__(self, url: str, token: str, plan: BeepPlan) -> None:
        self.room = rtc.Room()
        self.plan = plan
        self.spoken_samples = 0
        self._url = url
        self._token = token
        self._talking: asyncio.Task[None] | None = None

    @property
    def beeps_spoken(self) -> int:
        """How many beeps have begun."""
        return self.plan.begun(self.spoken_samples / SAMPLE_RATE)

    async def __aenter__(self) -> Self:
        load_quietly()
        await self.room.connect(self._url, self._token, rtc.RoomOptions(auto_subscribe=False))
        self._source = rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=_QUEUE_MS)
        track = rtc.LocalAudioTrack.create_audio_track("beeps", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
        await self.room.local_participant.publish_track(track, options)
        self._talking = asyncio.create_task(self._talk())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop_talking()
        await self.room.disconnect()
        await self._source.aclose()

    async def stop_talking(self) -> None:
        """Fall silent; the track stays published."""
        if self._talking is not None:
            self._talking.cancel()
            await asyncio.wait({self._talking})
            self._talking = None

    async def _talk(self) -> None:
        while True:
            block = self.plan.samples(self.spoken_samples, BLOCK_SAMPLES)
            await self._source.capture_frame(rtc.AudioFrame(block.tobytes(), SAMPLE_RATE, 1, BLOCK_SAMPLES))
            self.spoken_samples += BLOCK_SAMPLES


@dataclass(frozen=True, slots=True)
class BeepReport:
    """What was found of one plan: when beeps begin (seconds), and how that compares."""

    onsets: tuple[float, ...]
    presence: float
    spacing_p95_ms: float


def find_beeps(samples: NDArray[np.int16], plan: BeepPlan) -> list[float]:
    """When the plan's beeps begin in `samples` (shape (n,)), in seconds; others' pitches and noise are ignored."""
    position = np.arange(len(samples))
    carried = samples.astype(np.float64) * np.exp(-2j * np.pi * plan.pitch_hz * position / SAMPLE_RATE)
    window = SAMPLE_RATE // 50
    summed = np.concatenate(([0.0], np.cumsum(carried)))
    level = 2 * np.abs(summed[window:] - summed[:-window])[:: SAMPLE_RATE // 1000] / window  # every millisecond
    loud = level > plan.amplitude / 4
    edges = np.flatnonzero(np.diff(loud.astype(np.int8)) == 1) / 1000
    onsets: list[float] = []
    for edge in edges:
        if not onsets or edge - onsets[-1] > plan.period_seconds / 2:
            onsets.append(float(edge))
    return onsets


def check_beeps(samples: NDArray[np.int16], plan: BeepPlan, from_seconds: float, to_seconds: float) -> BeepReport:
    """Compare the stretch in which the talker was talking all the time with the plan.

    Presence is the share of periods with a beep; spacing is how far consecutive onsets are from a whole number of
    periods apart, at the 95th percentile.
    """
    first, last = round(from_seconds * SAMPLE_RATE), round(to_seconds * SAMPLE_RATE)
    onsets = [from_seconds + onset for onset in find_beeps(samples[first:last], plan)]
    expected = int((to_seconds - from_seconds) / plan.period_seconds)
    steps = np.diff(onsets) / plan.period_seconds
    off = np.abs(steps - np.maximum(np.rint(steps), 1)) * plan.period_seconds * 1000
    return BeepReport(
        onsets=tuple(onsets),
        presence=min(len(onsets) / expected, 1.0) if expected else 1.0,
        spacing_p95_ms=float(np.percentile(off, 95)) if len(off) else 0.0,
    )


def take_turns(reports: Sequence[BeepReport]) -> bool:
    """Whether everybody's beeps come in the same order throughout: A, B, A, B, …"""
    merged = sorted((onset, number) for number, report in enumerate(reports) for onset in report.onsets)
    order = [number for _, number in merged]
    return all(order[i] != order[i + 1] for i in range(len(order) - 1)) if len(reports) > 1 else True


def assert_true_recording(reports: Sequence[BeepReport], *, spacing_ms: float = 40) -> None:
    """Presence ≥ 99 % and so much spacing at p95 (the jitter buffer stretches time by tens of ms), in order."""
    for report in reports:
        assert report.presence >= 0.99, report
        assert report.spacing_p95_ms <= spacing_ms, report
    assert take_turns(reports), reports
