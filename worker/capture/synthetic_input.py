"""The sine that is recorded while nobody is in the room, and published where the token allows it."""

import asyncio

from audio.pcm import SAMPLE_RATE, Pcm
from audio.sine import sine_block
from store.database.boot_clock import boottime_ns
from worker.capture.recorder import Recorder
from worker.capture.source import Source
from worker.capture.spawn import Spawn
from worker.clock.session_clock import SessionClock
from worker.room.livekit.room import LiveKitRoom

_AFTER_SAMPLES = 10 * SAMPLE_RATE
_BLOCK_SAMPLES = SAMPLE_RATE // 5


class SyntheticInput(Source):
    """Begins after ten seconds alone, and ends for good when the first participant comes.

    Args:
        resumed: an earlier run has recorded those ten seconds, and perhaps the sine since.
    """

    def __init__(self, clock: SessionClock, recorder: Recorder, spawn: Spawn, *, resumed: bool) -> None:
        self._clock = clock
        self._recorder = recorder
        self._spawn = spawn
        self._resumed = resumed
        self._on = False
        self._over = False
        self._publishing: asyncio.Task[None] | None = None

    def follow(self, room: LiveKitRoom, now_ns: int, *, somebody_came: bool) -> None:
        """Look whether it has to begin or to end."""
        if self._over:
            return
        if somebody_came:
            self.end(now_ns)
            return
        sample = self._clock.sample_at(now_ns)
        if not self._on and sample >= _AFTER_SAMPLES:
            self._on = True
            self._recorder.start_sine(sample if self._resumed else _AFTER_SAMPLES)
            self.entered(room)

    def entered(self, room: LiveKitRoom) -> None:
        """The worker is in `room` (again): publish what is recorded."""
        if not self._on or not room.may_publish:
            return
        first_sample = self._clock.sample_at(boottime_ns())

        def block(number: int) -> Pcm:
            return sine_block(first_sample + number * _BLOCK_SAMPLES, _BLOCK_SAMPLES)

        self._publishing = self._spawn(room.publish("synthetic", block, _BLOCK_SAMPLES), "sine")

    def dropped(self) -> None:
        """The room is lost; the recording goes on."""
        if self._publishing is not None:
            self._publishing.cancel()
            self._publishing = None

    def end(self, stopped_ns: int) -> None:
        """Stop for good; the recording has the sine up to `stopped_ns`."""
        self._over = True
        if self._on:
            self._on = False
            self._recorder.stop_sine(stopped_ns)
        self.dropped()
