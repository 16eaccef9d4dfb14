"""The processes for suspects that were asked for and are not over: how many more there may be, and who still waits."""

import asyncio
from dataclasses import dataclass
from itertools import count

from sessions.lifecycle.blame import HEALTHY_MS
from worker.vitals.pulse import Pulse


@dataclass(slots=True)
class _Opened:
    since: float
    sessions: int
    pulse: Pulse | None = None


class OpenQuarantines:
    """Each by its name, `quarantine-0` being the first. At most `most` of them are young at a time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._opened: dict[str, _Opened] = {}

    @property
    def free(self) -> int:
        """How many more there should be; one whose sessions have proven themselves counts no more. May be negative."""
        now = asyncio.get_running_loop().time()
        return self._most - sum(now - opened.since < HEALTHY_MS / 1000 for opened in self._opened.values())

    @property
    def waiting(self) -> list[int]:
        """How many suspects each of those takes that have not taken any yet."""
        opened = self._opened.values()
        return [one.sessions for one in opened if one.pulse is None or not one.pulse.retires]

    def open(self, sessions: int) -> str:
        """One for so many suspects is about to start; returns its name."""
        name = next(name for number in count() if (name := f"quarantine-{number}") not in self._opened)
        self._opened[name] = _Opened(asyncio.get_running_loop().time(), sessions)
        return name

    def started(self, name: str, pulse: Pulse) -> None:
        """It says by its pulse when it has its suspects. No-op for a name of another process."""
        if name in self._opened:
            self._opened[name].pulse = pulse

    def close(self, name: str) -> None:
        """It is over, or was not started."""
        del self._opened[name]
