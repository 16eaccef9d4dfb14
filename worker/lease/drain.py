"""A process that is stopping, as its sessions see it."""

from dataclasses import dataclass


@dataclass(slots=True)
class Drain:
    """`deadline_ns` (boot-time clock): until then sessions go on for their successors; None while nothing stops."""

    deadline_ns: int | None = None

    @property
    def draining(self) -> bool:
        """Whether the runs were released."""
        return self.deadline_ns is not None

    def begin(self, deadline_ns: int) -> None:
        """The runs are released now."""
        self.deadline_ns = deadline_ns
