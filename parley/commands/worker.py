"""`parley worker`."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

from parley.command_error import cannot_listen
from parley.installation.installation import Installation, open_installation
from parley.installation.logging import configure_logging
from parley.installation.object_storage import open_objects
from parley.installation.schema_check import check_own_schema
from parley.installation.settings_loading import load_settings
from parley.installation.url_file import write_url
from parley.servers.child_process import spawn
from parley.servers.fork_server import ONE_THREAD, ForkedProcess, ForkServer
from worker.host.host import run_worker_host
from worker.host.supervisor import ChildCommands

_COMMAND_LINE_ROOM = 64
_NOT_LISTENING = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES)


def run_worker(*, children_die_by: str, url_file: Path | None) -> int:
    """Run until SIGTERM or SIGINT; children get SIG`children_die_by` when this process is killed."""
    settings = load_settings()
    dropped = configure_logging(settings.log_level, process="supervisor")
    installation = open_installation(settings)
    asyncio.run(_serve(installation, signal.Signals[f"SIG{children_die_by}"], url_file, dropped))
    return 0


async def _serve(
    installation: Installation,
    death_signal: signal.Signals,
    url_file: Path | None,
    log_lines_dropped: Callable[[], int],
) -> None:
    settings = installation.settings
    await check_own_schema(installation)

    def start(argv: Sequence[str]) -> "subprocess.Popen[bytes]":
        # Sessions of their own: Ctrl-C in a terminal reaches the supervisor alone, which tells them in its order.
        return spawn(argv, death_signal=death_signal, start_new_session=True, env={**os.environ, **ONE_THREAD})

    nursery = ForkServer(nursery_argv, death_signal)

    async def record(owner: UUID, suspects: int, pulse_fd: int) -> ForkedProcess:
        return await nursery.fork({"owner": str(owner), "suspects": suspects}, [pulse_fd])

    try:
        await run_worker_host(
            settings,
            installation.database_url,
            open_objects(installation),
            ChildCommands(record, start, {"jobs": jobs_argv("short"), "speech": jobs_argv("speech")}),
            reconnect=installation.reattach,
            listening=lambda url: write_url(url, url_file),
            log_lines_dropped=log_lines_dropped,
        )
    except OSError as error:
        if error.errno not in _NOT_LISTENING:
            raise
        raise cannot_listen("WORKER", settings.api_host, settings.worker_port, error) from error
    finally:
        nursery.close()


def nursery_argv(fd: int) -> list[str]:
    """The command of the process that recorders are forked from, asked for through the socket `fd`."""
    return [sys.executable, "-m", "parley", "nursery", "--fd", str(fd), "--room", "." * _COMMAND_LINE_ROOM]


def jobs_argv(queue: str) -> list[str]:
    """The command of the process that runs the jobs of a queue."""
    return [sys.executable, "-m", "parley", "jobs", "--queue", queue]
