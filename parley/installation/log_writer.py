"""Writes log lines in a thread of its own, so that a reader who stalls, or goes away, costs lines and nothing else.

A pipe holds 64 KiB. Once it is full, a write to it blocks for as long as its reader stands still; a loop that logged
would stand still with it.
"""

import os
import queue
import select
import threading
from collections.abc import Callable

MOST_WAITING_BYTES = 4 << 20
"""What waits for a reader that stalls; what is logged beyond that is dropped and counted."""

_LOOK_SECONDS = 1.0


class LogWriter:
    """Lines on their way to the descriptor `fd`, in order.

    `write` and `drain` are for one thread at a time. `say_dropped` makes the line that says how many are missing; it is
    called in the writing thread, once the next line could be written.
    """

    def __init__(self, fd: int, say_dropped: Callable[[int], bytes], *, most_bytes: int = MOST_WAITING_BYTES) -> None:
        self._fd = fd
        self._say_dropped = say_dropped
        self._most_bytes = most_bytes
        self._lines: queue.SimpleQueue[bytes | threading.Event] = queue.SimpleQueue()
        self._taken_bytes = 0  # by `write`
        self._done_bytes = 0  # by the thread
        self._dropped = 0  # by `write`
        self._lost = 0  # by the thread: nobody reads any more
        self._said = 0
        self._thread: threading.Thread | None = None
        self._pid = 0

    @property
    def dropped_lines(self) -> int:
        """Lines of this process that nobody will read."""
        return self._dropped + self._lost if self._pid == os.getpid() else 0

    def write(self, line: bytes) -> None:
        """Have `line` written soon; never blocks."""
        if self._pid != os.getpid():  # the first line of this process, which may be a fork of another one
            self._start()
        if self._taken_bytes - self._done_bytes + len(line) > self._most_bytes:
            self._dropped += 1
            return
        self._taken_bytes += len(line)
        self._lines.put(line)

    def drain(self, seconds: float) -> None:
        """Wait until all that was logged is written, so long at most."""
        if self._pid == os.getpid():
            reached = threading.Event()
            self._lines.put(reached)
            reached.wait(seconds)

    def _start(self) -> None:
        self._lines = queue.SimpleQueue()  # a parent's lines are its own
        self._taken_bytes = self._done_bytes = self._dropped = self._lost = self._said = 0
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        lines = self._lines
        while True:
            line = lines.get()
            if isinstance(line, threading.Event):
                line.set()
                continue
            if not self._write_out(line):
                self._lost += 1
            elif (missing := self.dropped_lines) > self._said and self._write_out(
                self._say_dropped(missing - self._said)
            ):
                self._said = missing
            self._done_bytes += len(line)

    def _write_out(self, line: bytes) -> bool:
        """Whether it could be written; waits for a reader that stalls."""
        rest = memoryview(line)
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:  # somebody who shares the pipe has made it non-blocking
                select.select([], [self._fd], [], _LOOK_SECONDS)
            except OSError:
                return False
        return True
