"""Whether a claimer may judge others: only one whose own polls have succeeded all the time (design.md §3.2). Pure."""

from dataclasses import dataclass


@dataclass(slots=True)
class PollHistory:
    """How long polls have succeeded without a failure or a pause of more than `longest_pause_ns` between them."""

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
        """How long that is by now."""
        if self._since_ns is None or now_ns - self._last_ns > self.longest_pause_ns:
            return 0
        return now_ns - self._since_ns
