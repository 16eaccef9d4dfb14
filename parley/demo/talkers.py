"""The talkers' process, from the demo's side."""

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from parley.command_error import CommandError
from parley.demo.script import duration_ms
from parley.servers.child_process import spawn

_JOIN_SECONDS = 15
_LEAVE_SECONDS = 5


class Talkers:
    """Two participants of a room. Enter `joined_talkers`."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    async def talk(self) -> float:
        """Start the conversation; returns the Unix time of its first sample."""
        self._say("talk")
        return float((await self._hear("talking", _JOIN_SECONDS))[0])

    async def finished(self, timeout_seconds: float) -> None:
        """Wait until everything is said."""
        await self._hear("silent", timeout_seconds)

    async def joined(self) -> None:
        """Wait until both are in the room."""
        await self._hear("joined", _JOIN_SECONDS)

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended: whoever listens to it will know
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()

    async def _hear(self, word: str, timeout_seconds: float) -> list[str]:
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(timeout_seconds):
                line = await asyncio.to_thread(self._process.stdout.readline)
        except asyncio.CancelledError:
            self._process.kill()  # ends the thread's wait
            raise
        except TimeoutError:
            self._process.kill()
            raise CommandError(f"the talkers did not say {word!r} within {timeout_seconds:.0f} s") from None
        said, *rest = line.decode().split() or [""]
        if said != word:
            raise CommandError(f"the talkers ended before they said {word!r}")
        return rest


@asynccontextmanager
async def joined_talkers(
    url: str, tokens: Mapping[str, str], log: Path, *, seconds: float | None = None
) -> AsyncIterator[Talkers]:
    """Let them join; they leave with the block.

    Args:
        tokens: one of each of `parley.demo.script.TALKERS`.
        log: what the process writes about itself; LiveKit's SDK may write tokens there.
        seconds: for how long they talk, again and again what they have to say; None: they say it once.

    Raises:
        CommandError: they don't.
    """
    with log.open("wb") as errors:
        process = spawn(
            [sys.executable, "-m", "parley.demo.talkers_process"],
            death_signal=signal.SIGKILL,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    try:
        with process:
            talkers = Talkers(process)
            where = {"url": url, "tokens": dict(tokens)}
            talkers._say(json.dumps({**where, "seconds": duration_ms() / 1000 if seconds is None else seconds}))
            try:
                await talkers.joined()
                yield talkers
            finally:
                await asyncio.to_thread(_end, process)
    finally:
        process.kill()


def _end(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_LEAVE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
