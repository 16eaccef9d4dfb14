"""When a recorder process retires: by the sessions that it has served, or by its size. Pure.

LiveKit's native library keeps about 0.49 MB of each room that a process has joined and left (measured with livekit
1.2.1), so a process that went on for ever would fill its host's memory.
"""

from dataclasses import dataclass
from enum import StrEnum

from sessions.settings import Settings
from worker.vitals.process_memory import MIB

# Measured with livekit 1.2.1, as resident memory: a recorder with what it shares with its siblings, and a session.
_RECORDER_BYTES = 130 * MIB
_SESSION_BYTES = 5 * MIB
_TIMES_ITS_USUAL_SIZE = 3
_LARGEST_SOFT_BYTES = 1536 * MIB
_HARD_TIMES_SOFT = 2
_MARGIN_SHARE = 4  # a quarter: a hand-over takes about two seconds


class Worn(StrEnum):
    """Why a recorder process takes no more sessions."""

    SESSIONS = "sessions"  # it has served as many as it should
    MEMORY = "memory"  # it is larger than its soft mark


@dataclass(frozen=True, slots=True)
class MemoryMarks:
    """Sizes of a recorder process.

    Attributes:
        soft_bytes: past that it takes no more sessions, and gives away what grows and what is on its way.
        hard_bytes: past that it is replaced: it hands all over.
    """

    soft_bytes: int
    hard_bytes: int

    @property
    def kill_bytes(self) -> int:
        """Past that it is killed, whatever it has."""
        return self.hard_bytes + self.hard_bytes // _MARGIN_SHARE

    @classmethod
    def of(cls, settings: Settings) -> "MemoryMarks":
        """As configured; else three times the size of a full process, at most 1.5 GB, and twice that."""
        usual = _RECORDER_BYTES + settings.sessions_per_process * _SESSION_BYTES
        soft_bytes = min(_TIMES_ITS_USUAL_SIZE * usual, _LARGEST_SOFT_BYTES)
        hard = settings.recorder_memory_limit_mb
        if settings.recorder_memory_mb is not None:
            soft_bytes = settings.recorder_memory_mb * MIB
        elif hard is not None:
            soft_bytes = min(soft_bytes, hard * MIB // _HARD_TIMES_SOFT)
        return cls(soft_bytes, _HARD_TIMES_SOFT * soft_bytes if hard is None else hard * MIB)


class Wear:
    """What one recorder process has served, and how large it was last.

    Args:
        most_sessions: after so many it is worn; 0: never by their number.
        marks: past the soft one it is worn.
    """

    def __init__(self, most_sessions: int, marks: MemoryMarks) -> None:
        self.served = 0
        self._most_sessions = most_sessions
        self._marks = marks
        self._bytes = 0

    def serve(self, sessions: int) -> None:
        """It has taken so many more."""
        self.served += sessions

    def weigh(self, resident_bytes: int) -> None:
        """It is that large now."""
        self._bytes = resident_bytes

    def left(self, free: int) -> int:
        """How many of `free` places it may still fill."""
        if self.worn is Worn.MEMORY:
            return 0
        return free if self._most_sessions == 0 else max(0, min(free, self._most_sessions - self.served))

    @property
    def too_large(self) -> bool:
        """Whether it is to be replaced at once."""
        return self._bytes > self._marks.hard_bytes

    @property
    def worn(self) -> Worn | None:
        """Why it should take no more sessions; None: it goes on."""
        if self._bytes > self._marks.soft_bytes:
            return Worn.MEMORY
        return Worn.SESSIONS if 0 < self._most_sessions <= self.served else None
