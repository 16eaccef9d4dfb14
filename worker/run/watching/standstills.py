"""Gaps for the stretches in which this process stood still (was suspended, or got no CPU), and who is to blame."""

from collections.abc import Callable

from sessions.codes import lookup
from store.database.boot_clock import SECOND_NS
from worker.lease.live_run import LiveRun
from worker.room.missing.heard_track import Missing
from worker.room.missing.wanted_track import GAP_PERMISSION

_LEAST_NS = 3 * SECOND_NS  # after a shorter standstill all frames arrive late, and none is lost (measured)
_PATIENCE_NS = 8 * SECOND_NS  # so long it waits for frames that are proven to have come afterwards
_BEFORE_NS = SECOND_NS  # a hole that the standstill caused may seem to begin so much earlier: readings place it
_AFTERMATH_NS = 4 * SECOND_NS  # … and so much later: that is what a full jitter buffer holds and discards


class Standstills:
    """Turns one run's standstills into gaps, each as soon as it is known which code it gets.

    Args:
        gap: notes a gap.
        missed: says which part of a standstill between two instants was lost; None: not known yet.
    """

    def __init__(
        self,
        run: LiveRun,
        gap: Callable[[Missing], None],
        missed: Callable[[int, int], tuple[int, int] | None],
    ) -> None:
        self._missed = missed
        self._run = run
        self._gap = gap
        self._taken_ns = 0  # until when they are
        self._waiting: list[tuple[int, int]] = []

    def blamed(self, code: str, from_ns: int, to_ns: int) -> str:
        """The code of a hole that looks like `code`: if a standstill of this process has caused it, it is our fault."""
        if lookup(code).fault != "transport" and code != GAP_PERMISSION:
            return code
        caused = (
            stood_from_ns - _BEFORE_NS <= from_ns <= stood_to_ns + _AFTERMATH_NS and to_ns > stood_from_ns
            for stood_from_ns, stood_to_ns in self._run.standstills
        )
        return self._code if any(caused) else code

    @property
    def _code(self) -> str:
        return "gap.worker_lost" if self._run.replaced else "gap.worker_stalled"

    def name(self, known_ns: int, *, final: bool = False) -> None:
        """Note a gap for each standstill that ended before `known_ns`: a proven beat, or the stop.

        If another run took the session meanwhile it is `gap.worker_lost`, else `gap.worker_stalled`. What came in while
        the process was stopped waits in the socket, up to four seconds of it in the jitter buffer (measured with
        SIGSTOP for 1.5 to 8 s): the gap ends where that begins.
        """
        standstills, self._waiting = self._waiting + self._take(), []
        for from_ns, to_ns in standstills:
            if self._run.replaced:
                self._gap(Missing(self._code, from_ns, to_ns))
                continue
            missed = self._missed(from_ns, to_ns)
            if to_ns >= known_ns or (missed is None and not final and known_ns < to_ns + _PATIENCE_NS):
                self._waiting.append((from_ns, to_ns))
                continue
            start_ns, end_ns = missed or (from_ns, to_ns)
            if end_ns > start_ns:
                self._gap(Missing(self._code, start_ns, end_ns))

    def _take(self) -> list[tuple[int, int]]:
        new = [one for one in self._run.standstills if one[1] > self._taken_ns]
        self._taken_ns = max([self._taken_ns, *(to_ns for _, to_ns in new)])
        return [(from_ns, to_ns) for from_ns, to_ns in new if to_ns - from_ns >= _LEAST_NS]
