"""Naming the stretches in which this process stood still."""

from collections.abc import Callable

from store.database.boot_clock import SECOND_NS
from worker.lease.live_run import LiveRun

_BUFFERED_NS = 2 * SECOND_NS  # what kernel and jitter buffer keep for a process that is stopped


class Standstills:
    """Turns one run's standstills into gaps, each once it is known what it was.

    Args:
        gap: notes a hole for a reason, between two instants of the boot-time clock.
    """

    def __init__(self, run: LiveRun, gap: Callable[[str, int, int], None]) -> None:
        self._run = run
        self._gap = gap
        self._waiting: list[tuple[int, int]] = []

    def name(self, known_ns: int) -> None:
        """Name those that ended before `known_ns`.

        By then it is known whether another run took the session meanwhile (what lies in between is that one's), or
        whether what came late was played late: then only what the buffers could not keep was made up.
        """
        standstills, self._waiting = self._waiting + self._run.take_standstills(), []
        for from_ns, to_ns in standstills:
            if self._run.replaced:
                self._gap("gap.worker_lost", from_ns, to_ns)
            elif to_ns < known_ns:
                self._gap("gap.concealed", from_ns + _BUFFERED_NS, to_ns)
            else:
                self._waiting.append((from_ns, to_ns))
