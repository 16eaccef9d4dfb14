"""How much of the time between two readings a track was muted, and whether packets have come since. Pure."""

from dataclasses import dataclass, field

from worker.room.room_reading import TrackReading


@dataclass(slots=True)
class Muting:
    """Follows one track. Positions are samples of the session's clock.

    A muted microphone sends nothing, so the jitter buffer makes up audio (measured with a browser: 1.5 s of 2.5 s), and
    goes on after the unmuting until the first packet has come.
    """

    _since: int | None = field(default=None)
    _samples: int = field(default=0)  # since the last reading
    _unmuted: bool = field(default=False)  # since the last reading
    _packets_at_unmute: int | None = field(default=None)

    def mute(self, muted: bool, now_sample: int) -> None:
        """The track was muted, or unmuted."""
        if muted and self._since is None:
            self._since = now_sample
        elif not muted and self._since is not None:
            self._samples += now_sample - self._since
            self._since = None
            self._unmuted = True

    def take_samples(self, now_sample: int) -> int:
        """For how many samples it was muted since the last reading."""
        muted, self._samples = self._samples, 0
        if self._since is not None:
            muted += max(now_sample - self._since, 0)
            self._since = max(now_sample, self._since)
        return muted

    def take_settled(self, reading: TrackReading | None) -> bool:
        """Whether packets have come since the track was unmuted, before the interval that ends with `reading`."""
        if self._unmuted:
            self._unmuted = False
            self._packets_at_unmute = -1 if reading is None else reading.packets
            return False
        if self._packets_at_unmute is not None:
            if reading is not None and reading.packets > self._packets_at_unmute:
                self._packets_at_unmute = None
            return False
        return True
