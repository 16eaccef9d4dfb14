"""Whether this process is stopping, and until when its sessions may go on: shared by all of them."""

from dataclasses import dataclass


@dataclass(slots=True)
class Drain:
    """Until `deadline_ns` (boot-time clock) sessions record on until successors take over; None: not stopping."""

    deadline_ns: int | None = None

    @property
    def draining(self) -> bool:
        """Whether the process is stopping, its runs released."""
        return self.deadline_ns is not None

    def begin(self, deadline_ns: int) -> None:
        """The runs have just been released."""
        self.deadline_ns = deadline_ns
