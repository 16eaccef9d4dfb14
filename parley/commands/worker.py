"""`parley worker`."""

import asyncio
import errno
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from parley.command_error import cannot_listen
from parley.commands.children.nursery import run_nursery
from parley.commands.children.worker_children import ALWAYS, GUARD, ON_DEMAND, RECORDER, request_of
from parley.installation.installation import Installation, open_installation
from parley.installation.logging import configure_logging
from parley.installation.object_storage import open_objects
from parley.installation.open_files import raise_open_files
from parley.installation.schema_check import check_own_schema
from parley.installation.settings_loading import load_settings
from parley.installation.url_file import write_url
from parley.servers.fork_server import BegunServer, ForkedProcess, ForkServer, begin_server
from store.access.vault import TokenVault
from worker.guard.upstream import GUARD_HOST
from worker.host.host import run_worker_host
from worker.host.supervisor import ChildCommands

_GUARD_BACKLOG = 512
_NOT_LISTENING = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES)


def run_worker(*, children_die_by: str, url_file: Path | None) -> int:
    """Run until SIGTERM or SIGINT; children get SIG`children_die_by` when this process is killed."""
    settings = load_settings()
    dropped = configure_logging(settings.log_level, process="supervisor")
    raise_open_files()  # where DNS is slow, WebRTC holds about 75 descriptors for each room that it joins
    installation = open_installation(settings)
    asyncio.run(check_own_schema(installation))
    vault = TokenVault(installation.settings.secret_key)
    # Not before: what libraries set up at their first use is in memory once now, and nobody forked does it again.
    nursery = begin_server()
    if isinstance(nursery, int):
        return run_nursery(nursery, settings)
    asyncio.run(_serve(installation, vault, signal.Signals[f"SIG{children_die_by}"], url_file, dropped, nursery))
    return 0


async def _serve(
    installation: Installation,
    vault: TokenVault,
    death_signal: signal.Signals,
    url_file: Path | None,
    log_lines_dropped: Callable[[], int],
    begun: BegunServer,
) -> None:
    settings = installation.settings
    nursery = ForkServer(nursery_argv, death_signal, begun)
    # Made here and kept: who connects while the guard is being replaced waits, and is not refused.
    door = socket.create_server((GUARD_HOST, 0), backlog=_GUARD_BACKLOG)
    guard_port: int = door.getsockname()[1]

    async def record(owner: UUID, suspects: int, pulse_fd: int) -> ForkedProcess:
        request = request_of(RECORDER, owner=owner, suspects=suspects, guard_port=guard_port)
        return await nursery.fork(request, [pulse_fd])

    async def work(name: str) -> ForkedProcess:
        return await nursery.fork(request_of(name), [door.fileno()] if name == GUARD else [])

    try:
        await run_worker_host(
            settings,
            installation.database,
            open_objects(installation),
            vault,
            ChildCommands(record, work, ALWAYS, ON_DEMAND),
            listening=lambda url: write_url(url, url_file),
            log_lines_dropped=log_lines_dropped,
        )
    except OSError as error:
        if error.errno not in _NOT_LISTENING:
            raise
        raise cannot_listen("WORKER", settings.api_host, settings.worker_port, error) from error
    finally:
        nursery.close()
        door.close()


def nursery_argv(fd: int) -> list[str]:
    """The command of the process that the other children are forked from, asked for through the socket `fd`."""
    return [sys.executable, "-m", "parley", "nursery", "--fd", str(fd)]
