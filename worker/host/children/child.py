"""One child process of the supervisor. A pidfd tells of its death at once, without a thread per child."""

import asyncio
import os
import re
import signal
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self


class Running(Protocol):
    """A child of this process, as `subprocess.Popen` is one."""

    pid: int

    def send_signal(self, number: signal.Signals, /) -> None:
        """No-op for one that was waited for."""

    def kill(self) -> None:
        """SIGKILL."""

    def wait(self) -> int:
        """Its exit code; negative: the signal that killed it."""


STOP_CLAIMING = signal.SIGUSR1
"""To a recorder: take no more sessions, go on with those that run, and be ready for `DRAIN`."""

DRAIN = signal.SIGTERM
"""To any child: release what is running, finish within the grace period, exit with 0."""


# Of /proc/…/status: a process that was killed has SIGKILL pending until it is over, as one of its shared signals.
_KILLED = re.compile(r"^State:\s+[ZX]|^S(?:ig|hd)Pnd:\s+[0-9a-f]*[13579bdf][0-9a-f]{2}$", re.MULTILINE)


class Child:
    """A running child; leaving the block kills it if it still runs. `name` is for the log, and stays what it was."""

    def __init__(self, name: str, process: Running) -> None:
        self.name: Final = name
        self._process = process
        self._pidfd = os.pidfd_open(process.pid)
        self._dead = asyncio.Event()

    @property
    def pid(self) -> int:
        """Its process id, also once it is over."""
        return self._process.pid

    @property
    def is_dying(self) -> bool:
        """Whether it is over, or was killed and soon is: to end, a large process takes a while."""
        try:
            return _KILLED.search(Path(f"/proc/{self.pid}/status").read_text()) is not None
        except OSError:
            return True

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; no-op for a child that is dead."""
        self._process.send_signal(number)

    async def wait(self) -> int:
        """Its exit code; negative: the signal that killed it."""
        await self._dead.wait()
        return self._process.wait()

    async def __aenter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self._pidfd, self._dead.set)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._process.kill()
        self._process.wait()  # dead or just killed: this does not block
