"""Why a run stops recording: every stop has a name."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from sessions.lifecycle import Outcome


class StopKind(Enum):
    """Who decided."""

    COMMANDED = auto()  # the database says so: somebody else has written it
    FOUND = auto()  # we found the reason and have to write it
    REPLACED = auto()  # another run has the session: write nothing
    HANDED_OVER = auto()  # this process stops; the run was released for another one


@dataclass(frozen=True, slots=True)
class Stop:
    """A decided stop; outcome, code and `at` (when it lies before now) are those of a FOUND one."""

    kind: StopKind
    outcome: Outcome | None = None
    code: str | None = None
    message: str | None = None
    at: datetime | None = None

    @classmethod
    def ended(cls, code: str, at: datetime | None = None) -> "Stop":
        """A FOUND stop with outcome ended."""
        return cls(StopKind.FOUND, "ended", code, None, at)

    @classmethod
    def failed(cls, code: str, message: str) -> "Stop":
        """A FOUND stop with outcome failed."""
        return cls(StopKind.FOUND, "failed", code, message)
