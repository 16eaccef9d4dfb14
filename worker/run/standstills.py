"""Gaps for the stretches in which this process stood still (was suspended, or got no CPU)."""

from collections.abc import Callable

from store.database.boot_clock import SECOND_NS
from worker.lease.live_run import LiveRun

_BUFFERED_NS = 2 * SECOND_NS  # what kernel and jitter buffer keep for a process that is stopped


class Standstills:
    """Turns one run's standstills into gaps, each as soon as it is known which code it gets.

    Args:
        gap: notes a hole for a reason, between two instants of the boot-time clock.
    """

    def __init__(self, run: LiveRun, gap: Callable[[str, int, int], None]) -> None:
        self._run = run
        self._gap = gap
        self._waiting: list[tuple[int, int]] = []

    def name(self, known_ns: int) -> None:
        """Note a gap for each standstill that ended before `known_ns`: a proven beat, or the stop.

        If another run took the session meanwhile, the whole stretch is `gap.worker_lost`. Else the buffers kept the
        first two seconds, which came late, and only the rest is `gap.concealed`.
        """
        standstills, self._waiting = self._waiting + self._run.take_standstills(), []
        for from_ns, to_ns in standstills:
            if self._run.replaced:
                self._gap("gap.worker_lost", from_ns, to_ns)
            elif to_ns < known_ns:
                self._gap("gap.concealed", from_ns + _BUFFERED_NS, to_ns)
            else:
                self._waiting.append((from_ns, to_ns))
