"""What tests leave open: sockets, pipes, processes and event loops, each told by who opened it.

Python warns of such a thing when it collects it, which may be many tests later: then the blame falls on somebody else.
"""

import asyncio
import gc
import socket
import subprocess
import sys
import time
import warnings
import weakref
from asyncio import base_subprocess, unix_events
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

CLOSING_SECONDS = 2.0  # threads of servers and other processes close their ends a moment after ours


class LeftOpenError(AssertionError):
    """Somebody left something open; the text says who, and what."""


_PIPES: Any = unix_events
_KINDS: tuple[tuple[type, Callable[[Any], bool]], ...] = (
    (socket.socket, lambda one: one.fileno() != -1),
    (asyncio.BaseEventLoop, lambda one: not one.is_closed()),
    (subprocess.Popen, lambda one: one.poll() is None),
    (base_subprocess.BaseSubprocessTransport, lambda one: not one._closed),
    (_PIPES._UnixReadPipeTransport, lambda one: one._pipe is not None),
    (_PIPES._UnixWritePipeTransport, lambda one: one._pipe is not None),
)


class Openings:
    """Watches what this process opens from `start` to `stop`, and in whose name."""

    def __init__(self) -> None:
        self._owner: str | None = None
        self._opened: list[tuple[str, weakref.ref[Any], Callable[[Any], bool]]] = []
        self._undo: list[Callable[[], None]] = []

    def start(self) -> None:
        """Begin to watch."""
        for kind, is_open in _KINDS:
            self._watch(kind, is_open)

    def stop(self) -> None:
        """Watch no more."""
        while self._undo:
            self._undo.pop()()

    @contextmanager
    def owned_by(self, owner: str) -> Iterator[None]:
        """What is opened in this block is `owner`'s."""
        before, self._owner = self._owner, owner
        try:
            yield
        finally:
            self._owner = before

    def check(self, owner: str) -> None:
        """Forget what `owner` opened.

        Raises:
            LeftOpenError: some of it is still open.
        """
        deadline = time.monotonic() + CLOSING_SECONDS
        while (left := self._open(owner)) and time.monotonic() < deadline:
            del left
            time.sleep(0.01)
        self._opened = [one for one in self._opened if one[0] != owner and one[1]() is not None]
        if left:
            raise LeftOpenError(f"{owner} left open: " + "; ".join(sorted(map(repr, left))))

    def _open(self, owner: str) -> list[Any]:
        alive = [(one(), is_open) for name, one, is_open in self._opened if name == owner]
        return [one for one, is_open in alive if one is not None and is_open(one)]

    def _watch(self, kind: type, is_open: Callable[[Any], bool]) -> None:
        made = kind.__init__  # type: ignore[misc] # of this very class: it is put back

        def noting(one: Any, *arguments: Any, **more: Any) -> None:
            made(one, *arguments, **more)
            if self._owner is not None:
                self._opened.append((self._owner, weakref.ref(one), is_open))

        kind.__init__ = noting  # type: ignore[misc]
        self._undo.append(lambda: setattr(kind, "__init__", made))


def collect_garbage(owner: str) -> None:
    """Collect garbage now, in the name of `owner`.

    Raises:
        LeftOpenError: something in it was open still (also a file), or else broke as it was collected.
    """
    found: list[str] = []
    hook = sys.unraisablehook
    sys.unraisablehook = lambda broke: found.append(f"{broke.exc_value!r} in {broke.object!r}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ResourceWarning)
            gc.collect()
    finally:
        sys.unraisablehook = hook
    if found:
        raise LeftOpenError(f"{owner} left open: " + "; ".join(found))
