"""PgBouncer in front of a PostgreSQL of the test's own; Debian's package `pgbouncer`."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Self

import psycopg
import pytest

from parley.servers.child_process import spawn

_CONFIG = """
[databases]
parley = host={server} dbname=parley user=parley
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 500
"""


class PgBouncer:
    """`pgbouncer` in transaction mode, on a socket in `folder` (short path), in front of the server whose socket is in
    `server`. It has so few connections to the server that clients share them all the time.
    """

    def __init__(self, folder: Path, server: Path, *, connections: int = 5) -> None:
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            if os.environ.get("CI"):
                raise FileNotFoundError("pgbouncer")
            pytest.skip("NO PGBOUNCER: apt install pgbouncer")
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=10).stdout
        self.version = said.split()[1]
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        config = folder / "pgbouncer.ini"
        config.write_text(_CONFIG.format(server=server, folder=folder, connections=connections))
        prefix = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.getuid() == 0 else []
        self._argv = [*prefix, program, str(config)]

    @property
    def url(self) -> str:
        """libpq URL of the database `parley` through it."""
        return f"postgresql://parley@/parley?host={self._folder}&port=6432"

    def __enter__(self) -> Self:
        with (self._folder / "log").open("ab") as log:
            self._process = spawn(self._argv, death_signal=signal.SIGKILL, stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while True:
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self._folder / "log").read_text()
                time.sleep(0.05)
            else:
                return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()  # its own signals change from release to release, and may be ignored
        self._process.wait(20)
