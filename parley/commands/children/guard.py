"""The proxy through which recorder processes reach rooms' servers, a child of `parley worker`, forked from
`parley nursery`."""

import asyncio
import socket

from parley.installation.logging import rename_process
from parley.installation.stop_signals import stop_signals
from sessions.settings import Settings
from worker.processes.guard_process import run_guard_process


def run_guard(settings: Settings, fd: int) -> int:
    """Serve the listening socket `fd` until SIGTERM or SIGINT."""
    rename_process("guard")

    async def run() -> None:
        with socket.socket(fileno=fd) as listening, stop_signals() as stopping:
            await run_guard_process(settings, listening, stopping)

    asyncio.run(run())
    return 0
