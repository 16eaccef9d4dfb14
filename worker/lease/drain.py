"""Whether this process is stopping, and until when its sessions may go on; all sessions of the process share it."""

from dataclasses import dataclass


@dataclass(slots=True)
class Drain:
    """Until `deadline_ns` (boot-time clock) sessions record on until successors take over; None: not stopping.

    `near`: it is about to begin.
    """

    deadline_ns: int | None = None
    near: bool = False

    @property
    def draining(self) -> bool:
        """Whether the process is stopping, its runs released."""
        return self.deadline_ns is not None

    def come_near(self) -> None:
        """This process is about to stop."""
        self.near = True

    def begin(self, deadline_ns: int) -> None:
        """The runs have just been released."""
        self.deadline_ns = deadline_ns
