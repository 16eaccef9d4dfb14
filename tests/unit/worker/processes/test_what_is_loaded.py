"""What a worker's processes load before there is work for them, which is memory that every idle worker holds."""

import subprocess
import sys

_NOT_NEEDED = {"onnxruntime", "soundfile", "alembic", "jwt", "sqlalchemy.orm"}
# As `parley worker` begins: no thread may run when it forks.
_WORKER = """
import os, sys
from parley.servers.fork_server import ONE_THREAD
os.environ.update(ONE_THREAD)
from parley.commands.loading import loading
with loading():
    import parley.commands.worker
loaded = set(sys.modules)
"""


def said_by(code: str) -> set[str]:
    """The words that a program of its own prints."""
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    return set(printed.stdout.split())


def test_whoever_is_forked_from_has_loaded_what_all_need_and_nothing_else() -> None:
    """What all need is in memory once; an engine, in the one process that hears."""
    loaded = said_by(_WORKER + "print(*loaded)")
    assert {"procrastinate", "numpy", "livekit", "obstore", "sqlalchemy.ext.asyncio"} <= loaded
    assert not _NOT_NEEDED & loaded


def test_what_always_runs_loads_nothing_after_the_fork() -> None:
    """A module that is imported later is in memory twice, and so is each page that its import touches."""
    later = "worker.processes.recorder_opening, worker.room.livekit.room, worker.processes.guard_process"
    code = f"{_WORKER}\nimport {later}, parley.commands.children.nursery\nprint(*set(sys.modules) - loaded)"
    assert said_by(code) == set()


def test_whoever_forks_has_one_thread_and_no_native_library_of_livekits() -> None:
    """It starts threads when it is loaded, and a crash of it would end the supervisor."""
    code = (
        "from pathlib import Path\n"
        "print('threads', len(list(Path('/proc/self/task').iterdir())))\n"
        "print('livekit_ffi' in Path('/proc/self/maps').read_text())"
    )
    assert said_by(f"{_WORKER}\n{code}") == {"threads", "1", "False"}
