"""LiveKit's native library in a process of its own, as a recorder loads it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Nobody answers there. Before it dials, the library asks which system this is, and logs.
JOIN = """
import asyncio, collections, logging
from livekit import rtc
from livekit.rtc import _ffi_client
from worker.room.livekit.native_library import forbid_programs, load_quietly

records = collections.Counter()
_ffi_client.to_python_level = lambda level: records.update([level])
{prepare}

async def join():
    try:
        await rtc.Room().connect("ws://127.0.0.1:9", "a.secret.token")
    except rtc.ConnectError:
        await asyncio.sleep(1.5)  # the log comes in batches, a second late at most

asyncio.run(join())
print("records", records.total())
"""

# What glibc tells of its arenas, once the library's threads run.
ARENAS = """
import ctypes, threading
from worker.room.livekit.native_library import load_quietly
from worker.vitals.malloc_arenas import share_arenas

{prepare}
load_quietly()
threads = [threading.Thread(target=threading.Event().wait, args=(1,)) for _ in range(8)]
for thread in threads:
    thread.start()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


@pytest.mark.parametrize("shared", [True, False])
def test_its_threads_share_two_arenas(shared: bool) -> None:
    """Else they would have many: then this would be needed no more."""
    done = subprocess.run(
        [sys.executable, "-c", ARENAS.format(prepare="share_arenas()" if shared else "")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    arenas = done.stdout.count("<heap nr=")
    assert arenas == 2 if shared else arenas > 2


@pytest.mark.parametrize("quiet", [True, False])
def test_a_quiet_library_hands_no_log_to_python_and_runs_no_programs(quiet: bool, tmp_path: Path) -> None:
    """As the SDK loads it, it does both: else this would be needed no more."""
    asked = tmp_path / "asked"
    script = tmp_path / "lsb_release"
    script.write_text(f"#!/bin/sh\ntouch {asked}\n")
    script.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", JOIN.format(prepare="forbid_programs(); load_quietly()" if quiet else "")],
        env={**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin", "RUST_LOG": "trace"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    logged = int(done.stdout.split()[-1])
    assert (logged == 0, asked.exists()) == (quiet, not quiet)
    assert "secret" not in done.stdout + done.stderr
