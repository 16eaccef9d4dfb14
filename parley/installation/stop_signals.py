"""SIGTERM and SIGINT as an event of the running loop."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

_STOPS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """An event that is set when the process is asked to stop; must be entered in the main thread's running loop."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in _STOPS:
        loop.add_signal_handler(number, stopping.set)
    try:
        yield stopping
    finally:
        for number in _STOPS:
            loop.remove_signal_handler(number)
