"""A talker of slots who goes on in another track."""

import time
from dataclasses import dataclass, field

import numpy as np
from livekit import rtc
from numpy.typing import NDArray

from tests.support.talkers.slots import SAMPLE_RATE, SLOT_SECONDS, SlotTalker

_BEFORE_SECONDS = 0.35  # of what was pushed right before a track is taken back, nobody knows whether it was sent
_BEHIND_SECONDS = 0.55  # until the new one is subscribed, which is no gap


@dataclass(slots=True)
class Republisher(SlotTalker):
    """Whose microphone may be taken back and published anew; what it says meanwhile is torn."""

    _rate: int = SAMPLE_RATE
    _channels: int = 1
    _changes: list[float] = field(default_factory=list)

    async def republish(
        self, options: rtc.TrackPublishOptions, *, rate: int = SAMPLE_RATE, channels: int = 1, muted: bool = False
    ) -> rtc.LocalAudioTrack:
        """Take the track back and publish another one, of a rate that 48 kHz is a multiple of."""
        [old] = self.room.local_participant.track_publications.values()
        source = rtc.AudioSource(rate, channels, queue_size_ms=self.queue_ms)
        track = rtc.LocalAudioTrack.create_audio_track("anew", source)
        if muted:
            track.mute()
        await self.room.local_participant.unpublish_track(old.sid)
        self.changed()
        await self.room.local_participant.publish_track(track, options)
        self._rate, self._channels, self._source = rate, channels, source
        self.changed()
        return track

    def changed(self) -> None:
        """Nothing can be said of what is spoken around now."""
        self._changes.append(time.time())

    def tear(self) -> None:
        """Mark what can't be judged; to be called once all is said."""
        self.torn |= {
            slot.number
            for slot in self.sent
            for at in self._changes
            if at - _BEFORE_SECONDS - SLOT_SECONDS < slot.at < at + _BEHIND_SECONDS
        }

    async def _say(self, source: rtc.AudioSource, block: NDArray[np.int16], due: float) -> None:
        assert self._source is not None
        samples = np.repeat(block[:: SAMPLE_RATE // self._rate], self._channels)
        await self._source.capture_frame(
            rtc.AudioFrame(samples.tobytes(), self._rate, self._channels, len(samples) // self._channels)
        )
