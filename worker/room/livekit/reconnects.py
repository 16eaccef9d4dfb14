"""When the SDK was reconnecting by itself, in the middle of a room."""

import math
import time
from collections import deque
from collections.abc import Sequence

_TOLD_SECONDS = 1.0  # the SDK may have begun so long before this process hears of it
_MOST = 16


class Reconnects:
    """The latest of one room's; times are of `time.monotonic`."""

    def __init__(self) -> None:
        self._times: deque[tuple[float, float]] = deque(maxlen=_MOST)

    @property
    def latest(self) -> Sequence[tuple[float, float]]:
        """Begin and end of each; infinity: it is not over."""
        return self._times

    def begin(self) -> None:
        """The SDK says that it is reconnecting. May be called again."""
        if not (self._times and math.isinf(self._times[-1][1])):
            self._times.append((time.monotonic() - _TOLD_SECONDS, math.inf))

    def end(self) -> None:
        """It is back."""
        if self._times:
            self._times[-1] = (self._times[-1][0], time.monotonic())
