"""A simulated receiver of a track: its jitter buffer and its counters."""

from worker.room.room_reading import TrackReading

PACKET_MS = 20
STEP_MS = 10


class Receiver:
    """Takes packets as they arrive and plays them at a speed, both by the millisecond.

    Attributes:
        playing_ms: when what is played now was spoken.
        silent: nothing is there to be played, so that silence is made up.
    """

    def __init__(self, doubles: int = 1) -> None:
        self.now_ms = 0
        self.playing_ms = 0.0
        self.silent = True
        self._doubles = doubles
        self._waiting: list[tuple[int, int]] = []  # spoken, arrived
        self._credit_ms = -30.0
        self._emitted = self._packets = self._discarded = self._concealed = 0
        self._waited_seconds = 0.0

    def arrive(self, spoken_ms: int) -> None:
        self._packets += 1
        self._discarded += self._doubles
        self._waiting.append((spoken_ms, self.now_ms))

    def arrive_at_most(self, spoken_ms: int, full_packets: int) -> None:
        """A packet comes to a buffer that lets everything go when so many wait."""
        if len(self._waiting) >= full_packets:
            self.flush()
        self.arrive(spoken_ms)

    @property
    def waiting(self) -> int:
        """Packets."""
        return len(self._waiting)

    def fail(self) -> None:
        """A packet comes that the key does not open."""
        self._packets += 1
        self._discarded += self._doubles

    def flush(self) -> None:
        """As a full buffer does."""
        self._discarded += len(self._waiting)
        self._waiting.clear()

    def play(self, speed: float) -> None:
        self._credit_ms += STEP_MS * speed
        while self._credit_ms >= PACKET_MS and self._waiting:
            spoken_ms, arrived_ms = self._waiting.pop(0)
            self.playing_ms = spoken_ms + PACKET_MS
            self._emitted += 960
            self._waited_seconds += 960 * (self.now_ms - arrived_ms) / 1000
            self._credit_ms -= PACKET_MS
            self.silent = False
        if self._credit_ms >= PACKET_MS:
            self._concealed += 960
            self.silent = True
            self._credit_ms -= PACKET_MS

    @property
    def delay_ms(self) -> float:
        return self.now_ms - self.playing_ms

    def reading(self) -> TrackReading:
        return TrackReading(self._concealed, self._emitted, self._waited_seconds, self._packets, self._discarded)
