"""Signals of a recorder process, with their senders.

LiveKit's SDK sends SIGTERM to its own process when its native library panics (measured with livekit 1.2.1). That must
not pass for somebody who asks the process to stop: there is no time to hand over, only to write out what was recorded.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGUSR1})
"""To be blocked in the main thread *before* LiveKit is imported, so that its threads inherit the mask."""

_LOOK_SECONDS = 0.5


@contextmanager
def watch_signals(on_signal: Callable[[signal.Signals], None], on_panic: Callable[[], None]) -> Iterator[None]:
    """Call `on_signal` on the running loop for every signal from another process.

    `on_panic` is called in the watching thread, at once, when this process has sent SIGTERM to itself.

    Raises:
        RuntimeError: the signals are not blocked.
    """
    if not signal.pthread_sigmask(signal.SIG_BLOCK, ()) >= SIGNALS:
        raise RuntimeError("block worker.processes.signals.SIGNALS before LiveKit's native library is loaded")
    loop = asyncio.get_running_loop()
    stopped = threading.Event()

    def watch() -> None:
        while not stopped.is_set():
            info = signal.sigtimedwait(SIGNALS, _LOOK_SECONDS)
            if info is None or info.si_signo not in SIGNALS:  # SIGCONT ends the wait, too (measured)
                continue
            if info.si_signo == signal.SIGTERM and info.si_pid == os.getpid():
                on_panic()
            else:
                loop.call_soon_threadsafe(on_signal, signal.Signals(info.si_signo))

    thread = threading.Thread(target=watch, name="signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
