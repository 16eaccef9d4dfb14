"""For how long a process has reached the database without a break. Pure.

A process takes another one's run for stale only when its own polls have succeeded for at least as long as a run may be
silent. After an outage of the database every beat is old: judged by them alone, all sessions would be taken over.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class PollHistory:
    """The polls of one process; a failure, or a pause of more than `longest_pause_ns`, begins a new stretch of them."""

    longest_pause_ns: int
    _since_ns: int | None = None
    _last_ns: int = 0

    def succeeded(self, now_ns: int) -> None:
        """A poll has come back."""
        if self._since_ns is None or now_ns - self._last_ns > self.longest_pause_ns:
            self._since_ns = now_ns
        self._last_ns = now_ns

    def failed(self) -> None:
        """A poll has failed: the time before it doesn't count any more."""
        self._since_ns = None

    def good_for_ns(self, now_ns: int) -> int:
        """For how long polls have succeeded by now; 0 after a failure or too long a pause."""
        if self._since_ns is None or now_ns - self._last_ns > self.longest_pause_ns:
            return 0
        return now_ns - self._since_ns
