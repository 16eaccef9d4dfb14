"""Runs `parley` as a customer does, on a machine that has nothing but the API's URL and a key."""

import asyncio
import io
import json
import os
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from parley import cli
from tests.support.running.api_server import MASTER_KEY
from tests.support.running.stack import PARLEY


@dataclass(frozen=True)
class Ran:
    """What came of a command."""

    exit_code: int
    out: str
    err: str

    @property
    def documents(self) -> list[Any]:
        """stdout as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


class CustomerShell:
    """Commands in this process (quick), and as processes (true to exit codes and signals)."""

    def __init__(
        self, url: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        home.mkdir(mode=0o700, exist_ok=True)
        self.home = home
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self._processes: list[asyncio.subprocess.Process] = []
        for name in [name for name in os.environ if name.startswith(("PARLEY_", "LIVEKIT_", "XDG_"))]:
            monkeypatch.delenv(name)
        monkeypatch.chdir(home)
        self.set(HOME=str(home), PARLEY_URL=url, PARLEY_KEY=MASTER_KEY)

    def set(self, **variables: str | None) -> None:
        """Change the environment; None unsets."""
        for name, value in variables.items():
            if value is None:
                self._monkeypatch.delenv(name, raising=False)
            else:
                self._monkeypatch.setenv(name, value)

    def environment(self, **more: str) -> dict[str, str]:
        """The environment, where `parley` is on PATH."""
        return {**os.environ, "PATH": f"{PARLEY.parent}:{os.environ['PATH']}", **more}

    async def run(self, *arguments: str, stdin: str = "") -> Ran:
        """The command in a thread of this process."""
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        self._capsys.readouterr()
        before = os.umask(0o022)
        try:
            exit_code = await asyncio.to_thread(cli.main, arguments)
        finally:
            os.umask(before)
        printed = self._capsys.readouterr()
        return Ran(exit_code, printed.out, printed.err)

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """The command as a process of its own, its output in pipes."""
        process = await asyncio.create_subprocess_exec(PARLEY, *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        self._processes.append(process)
        return process

    async def close(self) -> None:
        """End what a failed test has left running."""
        for process in self._processes:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    async def process(self, *arguments: str, stdin: str = "") -> Ran:
        """The command as a process of its own, to its end."""
        process = await self.start(*arguments)
        out, err = await process.communicate(stdin.encode())
        assert process.returncode is not None
        return Ran(process.returncode, out.decode(), err.decode())
