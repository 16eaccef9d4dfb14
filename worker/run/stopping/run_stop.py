"""Why a run stops recording: every stop has a name."""

from dataclasses import dataclass
from enum import Enum, auto

from sessions.lifecycle.stop import Stop


class StopKind(Enum):
    """Who decided."""

    COMMANDED = auto()  # somebody else stopped the session, and has written it
    FOUND = auto()  # this run found the reason and has to write it
    REPLACED = auto()  # another run has the session: write nothing
    HANDED_OVER = auto()  # this process stops; the run was released for another one


@dataclass(frozen=True, slots=True)
class RunStop:
    """The end of this run; `stop` is the session's, None where the session goes on without this run."""

    kind: StopKind
    stop: Stop | None = None

    @classmethod
    def found(cls, stop: Stop) -> "RunStop":
        """A stop that this run has to write."""
        return cls(StopKind.FOUND, stop)

    @property
    def code(self) -> str | None:
        """The code of the session's stop."""
        return None if self.stop is None else self.stop.code
