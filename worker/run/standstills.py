"""Gaps for the stretches in which this process stood still (was suspended, or got no CPU)."""

from collections.abc import Callable

from worker.lease.live_run import LiveRun


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

        If another run took the session meanwhile it is `gap.worker_lost`, else `gap.worker_stalled`: buffers keep next
        to nothing of what came while the process was stopped (measured with SIGSTOP for 4 and 8 s).
        """
        standstills, self._waiting = self._waiting + self._run.take_standstills(), []
        for from_ns, to_ns in standstills:
            if self._run.replaced:
                self._gap("gap.worker_lost", from_ns, to_ns)
            elif to_ns < known_ns:
                self._gap("gap.worker_stalled", from_ns, to_ns)
            else:
                self._waiting.append((from_ns, to_ns))
