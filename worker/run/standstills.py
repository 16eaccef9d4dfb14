"""Gaps for the stretches in which this process stood still (was suspended, or got no CPU)."""

from collections.abc import Callable

from store.database.boot_clock import SECOND_NS
from worker.lease.live_run import LiveRun

_PATIENCE_NS = 3 * SECOND_NS  # for frames to come again


class Standstills:
    """Turns one run's standstills into gaps, each as soon as it is known which code it gets.

    Args:
        gap: notes a hole for a reason, between two instants of the boot-time clock.
        missed: what a standstill between two instants cost, which may be less; None: not known yet.
    """

    def __init__(
        self,
        run: LiveRun,
        gap: Callable[[str, int, int], None],
        missed: Callable[[int, int], tuple[int, int] | None],
    ) -> None:
        self._missed = missed
        self._run = run
        self._gap = gap
        self._waiting: list[tuple[int, int]] = []

    def name(self, known_ns: int, *, final: bool = False) -> None:
        """Note a gap for each standstill that ended before `known_ns`: a proven beat, or the stop.

        If another run took the session meanwhile it is `gap.worker_lost`, else `gap.worker_stalled`. What came in while
        the process was stopped waits in the socket, up to four seconds of it in the jitter buffer (measured with
        SIGSTOP for 1.5 to 8 s): the gap ends where that
        begins.
        """
        standstills, self._waiting = self._waiting + self._run.take_standstills(), []
        for from_ns, to_ns in standstills:
            if self._run.replaced:
                self._gap("gap.worker_lost", from_ns, to_ns)
                continue
            missed = self._missed(from_ns, to_ns)
            if to_ns >= known_ns or (missed is None and not final and known_ns < to_ns + _PATIENCE_NS):
                self._waiting.append((from_ns, to_ns))
                continue
            start_ns, end_ns = missed or (from_ns, to_ns)
            if end_ns > start_ns:
                self._gap("gap.worker_stalled", start_ns, end_ns)
