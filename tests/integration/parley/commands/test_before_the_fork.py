"""What `parley worker` has done before its other processes are forked, which is in memory once for all of them."""

import os
import subprocess
import sys
from pathlib import Path

# What the supervisor and a recorder do first, in a process that is forked at the start, and in one that is forked when
# `parley worker` forks its nursery.
_PROGRAM = """
import asyncio, os, re, sys
from pathlib import Path
from parley.servers.fork_server import ONE_THREAD
os.environ.update(ONE_THREAD)
from parley.commands.loading import loading
with loading():
    import parley.commands.worker as worker
    import structlog
    from parley.installation.logging import configure_logging, rename_process
    from parley.installation.settings_loading import load_settings
    from store.access.vault import TokenVault
    from store.database.database import Database

def own_kib():
    return int(re.search(r"Private_Dirty: +([0-9]+)", Path("/proc/self/smaps_rollup").read_text())[1])

async def ask(settings):
    async with Database.open(settings.database_url, timeout_seconds=10, application_name="test") as db:
        await db.ping()

def begin(settings=None):
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0
        return
    before = own_kib()
    if settings is None:
        settings = load_settings()
        configure_logging(settings.log_level, process="test")
    else:
        rename_process("test")
    structlog.get_logger().info("begun", number=1)
    TokenVault(settings.secret_key)
    asyncio.run(ask(settings))
    print(own_kib() - before, flush=True)
    os._exit(0)

def begin_server():
    print(len(list(Path("/proc/self/task").iterdir())), flush=True)
    begin(load_settings())
    os._exit(0)

begin()
worker.begin_server = begin_server
worker.run_worker(children_die_by="KILL", url_file=None)
"""


def test_what_all_processes_do_first_is_in_memory_once(database_url: str, tmp_path: Path) -> None:
    """The settings, the log, the keys, a connection: who is forked writes to two thirds as much memory as who does all
    of it alone (measured: 0.65; without the keys or the connection 0.8).

    Nothing of it leaves a thread, beside which none may be forked.
    """
    environment = {
        **os.environ,
        "PARLEY_DATABASE_URL": database_url,
        "PARLEY_DATA_DIR": str(tmp_path),
        "PARLEY_SECRET_KEY": "s" * 40,
    }
    argv = [sys.executable, "-c", _PROGRAM]
    done = subprocess.run(argv, env=environment, check=True, capture_output=True, text=True, timeout=60)
    alone, threads, shared = (int(word) for word in done.stdout.split())
    assert threads == 1
    assert shared < 0.72 * alone
