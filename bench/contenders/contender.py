"""What can be measured side by side by `bench.benchmarks.recording`."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import psutil


class Contender(Protocol):
    """One way to receive (and record) the audio of many rooms. Entered: its processes are up, without a session."""

    name: str

    def parts(self) -> Mapping[str, Sequence[psutil.Process]]:
        """Groups of processes to measure now, by name; the first is `name` itself. Groups may overlap."""
        ...

    def record(self, rooms: Sequence[str]) -> None:
        """Return when the audio of each room's talker is arriving."""
        ...

    def received_seconds(self) -> tuple[float, float]:
        """Seconds of audio received so far over all rooms, and the monotonic time at which that was true."""
        ...

    def finish(self) -> None:
        """Leave all rooms, as after a session's ordinary end."""
        ...


Entered = AbstractContextManager[Contender]
