"""One line that tells how a session is doing: rewritten in a terminal, else printed now and then."""

import shutil
import sys
import time
from collections.abc import Mapping
from typing import Any

_METER_CELLS = 20
_QUIETEST_DBFS = -60.0
_PRINT_SECONDS = 2.0


class LiveLine:
    """Show it again and again, then end it. `rewrites` says whether stdout is a terminal."""

    def __init__(self) -> None:
        self.rewrites = sys.stdout.isatty()
        self._printed_at = -_PRINT_SECONDS
        self._is_shown = False

    def show(self, session: Mapping[str, Any], peak_dbfs: float | None) -> None:
        """The state of a session, and its level."""
        usage = session["usage"]
        text = (
            f"          {session['status']:<8} {usage['billable_ms'] / 1000:6.1f} s counted  "
            f"{usage['frames']:>6} frames  {meter(peak_dbfs)}"
        )
        if self.rewrites:
            columns = shutil.get_terminal_size().columns
            print(f"\r{text[: columns - 1]}\x1b[K", end="", flush=True)
            self._is_shown = True
        elif time.monotonic() - self._printed_at >= _PRINT_SECONDS:
            self._printed_at = time.monotonic()
            print(text, flush=True)

    def clear(self) -> None:
        """Make room for another line in its place."""
        if self.rewrites:
            print("\r\x1b[K", end="")
            self._is_shown = False

    def end(self) -> None:
        """Leave the line as it is."""
        if self.rewrites and self._is_shown:
            print()


def meter(peak_dbfs: float | None) -> str:
    """A level as a bar of 20 cells: -60 dBFS is empty, full scale is full."""
    if peak_dbfs is None:
        return "·" * _METER_CELLS
    share = min(max(1 - peak_dbfs / _QUIETEST_DBFS, 0.0), 1.0)
    filled = round(share * _METER_CELLS)
    return "█" * filled + "·" * (_METER_CELLS - filled) + f" {peak_dbfs:6.1f} dBFS"
