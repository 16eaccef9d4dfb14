"""SIGTERM from the first moment on: a process that is PID 1 is not ended by a signal that it has no handler for.

Imports nothing else, as the imports of a command take a second or more, in which a container may be told to stop.
"""

import os
import signal
from types import FrameType


def stop_at_sigterm() -> None:
    """Have SIGTERM end this process as if it had no handler, until the command has one of its own."""
    signal.signal(signal.SIGTERM, _leave)


def _leave(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)  # an exception would turn into another one inside of a class that is being made (an enum's)
