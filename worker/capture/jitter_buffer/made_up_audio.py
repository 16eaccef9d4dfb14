"""What a track's jitter buffer made up, less what late packets fill afterwards with true audio. Pure.

Behind a standstill of the process the readings tell how much is lost, but not where: they come while the socket is
being emptied, and frames of before, made-up ones and late ones are all played at once. What came before is played to
its end, though, so what is lost is lost right behind it.
"""

from dataclasses import dataclass, field

from audio.pcm import SAMPLE_RATE
from audio.ranges import Range, merged_ranges
from worker.capture.jitter_buffer.buffer_delay import BufferDelay
from worker.capture.jitter_buffer.concealment import ConcealmentWatch
from worker.capture.jitter_buffer.track_standstill import SEAM_SAMPLES
from worker.room.room_reading import TrackReading

_LONGEST_STALL_SAMPLES = 5 * SAMPLE_RATE  # packets that are later than this are not expected any more


@dataclass(slots=True)
class MadeUpAudio:
    """Follows one track; positions are samples of the session's clock."""

    _concealment: ConcealmentWatch = field(init=False, default_factory=ConcealmentWatch)
    _last: TrackReading | None = field(init=False, default=None)
    _unsure_since: TrackReading | None = field(init=False, default=None)  # the last reading before `unsure`
    _waiting: list[Range] = field(init=False, default_factory=list)  # made up, and late packets may still fill it
    _stood_since: int | None = field(init=False, default=None)  # the end of what came before a standstill
    _reached: int | None = field(init=False, default=None)  # where what was played at the last sure reading belongs

    def mute(self, muted: bool, now_sample: int) -> None:
        """The track was muted, or unmuted."""
        self._concealment.mute(muted, now_sample)

    def stood_still(self, since: int) -> None:
        """The process stood still; what came before ends at this sample, and what is made up begins right behind it."""
        if self._stood_since is None:
            self._stood_since = since

    def read(
        self,
        reading: TrackReading | None,
        now_sample: int,
        delay: BufferDelay,
        *,
        excess: int,
        late: int,
        settles_since: int | None,
        dropped: int,
        unsure: bool,
    ) -> list[Range]:
        """Take a reading; returns the stretches that were made up and that nothing will fill any more.

        Args:
            delay: the track's, which has taken the same reading before.
            excess: by how many samples audio that arrives now is late.
            late: by how many samples audio that is placed now is late.
            settles_since: see `ConcealmentWatch.read`.
            dropped: how many true samples were left out with what was made up in the last standstill.
            unsure: only the next readings tell what fills a stretch.
        """
        last, self._last = self._last, reading
        found = self._concealment.read(
            reading, now_sample, late=late, settles_since=settles_since, packet_samples=delay.packets.packet_samples
        )
        self._waiting += found
        if unsure:
            self._unsure_since = self._unsure_since or last
            return []
        since, self._unsure_since = self._unsure_since or last, None
        reached, self._reached = self._reached, now_sample - excess
        stood_since, self._stood_since = self._stood_since, None
        if not self._waiting or reading is None or since is None:
            return self._take_waiting()
        emitted = reading.emitted_samples - since.emitted_samples
        if stood_since is not None and reached is not None:
            self._take_waiting()
            lost = self._reached - reached - emitted + dropped
            return [(stood_since, stood_since + max(lost, SEAM_SAMPLES))]
        goes_on = emitted == 0 or (bool(found) and found[-1][1] == now_sample - late)
        if goes_on and now_sample - self._waiting[0][0] < _LONGEST_STALL_SAMPLES:
            return []
        made_up = self._take_waiting()
        if not delay.behind_burst:
            return made_up
        filled_from = now_sample - emitted - excess
        start = made_up[0][0]
        left = [(start, start + SEAM_SAMPLES), *((start, min(end, filled_from)) for start, end in made_up)]
        return list(merged_ranges(left))

    def take(self) -> list[Range]:
        """Return the stretches that were made up and not returned before: nothing fills them any more."""
        return self._take_waiting() + self._concealment.give_up()

    def _take_waiting(self) -> list[Range]:
        made_up, self._waiting = self._waiting, []
        return made_up
