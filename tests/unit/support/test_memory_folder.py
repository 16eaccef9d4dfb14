"""The folder in memory is there for its run alone."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.test_run.memory_folder import LOCK_OF_A_SERVER, held_in_memory, memory_folder, sweep

SOCKET_PATH_LIMIT_BYTES = 107
KILLED = """
import os, sys
from pathlib import Path
from tests.support.test_run.memory_folder import memory_folder
with memory_folder(Path(sys.argv[1])) as folder:
    (folder / "database").write_text("rows")
    os.kill(os.getpid(), 9)
"""


def test_it_is_its_users_alone_and_gone_afterwards(tmp_path: Path) -> None:
    """With all that is in it."""
    with memory_folder(tmp_path) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "own-1234567").mkdir()
        (folder / "own-1234567" / "rows").write_text("many")
        assert list(tmp_path.iterdir()) == [folder]
    assert list(tmp_path.iterdir()) == []


def test_a_socket_fits_into_a_server_s_folder_of_it() -> None:
    """Sockets have paths of at most 107 bytes."""
    with memory_folder() as folder:
        assert len(bytes(folder / "standby-1234567" / ".s.PGSQL.65535")) <= SOCKET_PATH_LIMIT_BYTES


def test_whoever_holds_it_keeps_it(tmp_path: Path) -> None:
    """Also when another run sweeps, and when the process that made it is gone first."""
    with memory_folder(tmp_path) as folder:
        sweep(tmp_path)
        assert folder.exists()
        held = held_in_memory(folder)
        held.__enter__()
    assert folder.exists()
    held.__exit__(None, None, None)
    sweep(tmp_path)
    assert not folder.exists()
    with pytest.raises(FileNotFoundError), held_in_memory(folder):
        pass


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    """As soon as it begins."""
    assert subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False, timeout=60).returncode == -9
    [left] = tmp_path.iterdir()
    assert (left / "database").exists()
    with memory_folder(tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder]


def test_a_server_that_is_stopping_is_waited_for(tmp_path: Path) -> None:
    """Its folder goes when it has gone."""
    ended = tmp_path / "ended"
    with memory_folder(tmp_path) as folder:
        (folder / "pg").mkdir()
        with (folder / "pg" / LOCK_OF_A_SERVER).open("w") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX)
            stopping = subprocess.Popen(["sh", "-c", f"sleep 0.3; : > {ended}"], pass_fds=[alive.fileno()])
    assert list(tmp_path.iterdir()) == [ended]
    stopping.wait(5)


def test_nothing_else_is_swept(tmp_path: Path) -> None:
    """Neither what is called otherwise nor what only looks like one."""
    (tmp_path / "others").mkdir()
    (tmp_path / "parley-test-link").symlink_to(tmp_path / "others")
    (tmp_path / "parley-test-file").touch()
    sweep(tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["others", "parley-test-file", "parley-test-link"]
