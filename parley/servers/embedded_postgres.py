"""PostgreSQL without an installation: started by the first Parley process of a data folder, stopped after the last."""

import fcntl
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import psycopg

from parley.servers.child_process import spawn
from parley.servers.postgres_folder import (
    DATABASE,
    OWNER_ONLY_FOLDER,
    PORT,
    ROLE,
    EmbeddedPostgresError,
    PostgresFolder,
    lock_within,
)

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]

_KEPT_LOG_BYTES = 10_000_000
_SHOWN_LOG_LINES = 5
_ANSWER_BYTES = 4096


class EmbeddedPostgres:
    """One process's hold on the server of `data_dir`.

    The server runs while any process holds it and stops within moments of the last one's end, even a kill -9. It can
    be gone all the same (its keeper was killed): on a refused connection call `attach()` again and go on. Blocking;
    may be called from any thread. `fsync=False` is for tests: a crash of the machine then loses the data.
    """

    def __init__(self, data_dir: Path, *, fsync: bool = True, start_seconds: float = 30) -> None:
        self._data_dir = data_dir
        self._fsync = fsync
        self._start_seconds = start_seconds
        self._use: int | None = None  # the descriptor whose shared flock is our hold
        self._one_at_a_time = threading.Lock()

    def attach(self) -> str:
        """Hold the server, start it if it doesn't run, and return the database's URL for libpq.

        Raises EmbeddedPostgresError.
        """
        with self._one_at_a_time:
            deadline = time.monotonic() + self._start_seconds
            folder = self._make_folder()
            held_before = self._use is not None
            if self._use is None:
                self._use = self._lock(folder, folder.use_lock, fcntl.LOCK_SH, deadline)
            try:
                return self._started(folder, deadline)
            except BaseException:
                if not held_before:
                    self._let_go()
                raise

    def detach(self) -> None:
        """Let go of the server; it stops if nobody else holds it."""
        with self._one_at_a_time:
            self._let_go()

    def __enter__(self) -> str:
        return self.attach()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.detach()

    def _let_go(self) -> None:
        if self._use is not None:
            os.close(self._use)
            self._use = None

    def _started(self, folder: PostgresFolder, deadline: float) -> str:
        url = _url(folder)
        start = self._lock(folder, folder.start_lock, fcntl.LOCK_EX, deadline)
        try:
            if not _answers(url):
                self._start_keeper(folder, deadline)
                _connect(url, deadline)
        except psycopg.Error as error:
            raise EmbeddedPostgresError(f"PostgreSQL started, but refuses us: {error}. See {folder.log}") from error
        finally:
            os.close(start)
        return url

    def _make_folder(self) -> PostgresFolder:
        try:
            self._data_dir.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
        except OSError as error:
            raise EmbeddedPostgresError(f"The data folder {self._data_dir} can't be made: {error.strerror}.") from error
        return PostgresFolder(self._data_dir.resolve())

    @staticmethod
    def _lock(folder: PostgresFolder, path: Path, operation: int, deadline: float) -> int:
        try:
            descriptor = folder.open(path)
        except OSError as error:
            raise EmbeddedPostgresError(
                f"{path} can't be opened: {error.strerror}. Run Parley as the owner of {folder.path}, "
                "or choose another PARLEY_DATA_DIR."
            ) from error
        if lock_within(descriptor, operation, deadline):
            return descriptor
        os.close(descriptor)
        raise EmbeddedPostgresError(
            f"{path} stays locked by another process: {folder.path} is being started or stopped"
        )

    def _start_keeper(self, folder: PostgresFolder, deadline: float) -> None:
        _rotate(folder.log)
        log = folder.open(folder.log)
        seconds = max(deadline - time.monotonic(), 1)
        argv: list[str | Path] = [
            sys.executable,
            "-m",
            "parley.servers.postgres_keeper",
            folder.path,
            f"{seconds}",
            f"{self._fsync:d}",
        ]
        try:
            keeper = spawn(argv, death_signal=None, cwd="/", stdout=subprocess.PIPE, stderr=log, start_new_session=True)
        finally:
            os.close(log)
        with keeper:
            assert keeper.stdout is not None
            answer = _read_line(keeper.stdout.fileno(), deadline + 1)
        if answer != "ready":
            raise EmbeddedPostgresError("\n".join([answer or "PostgreSQL's keeper died.", *_last_lines(folder.log)]))


def _url(folder: PostgresFolder) -> str:
    return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(folder.socket_folder), safe='/')}&port={PORT}"


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _connect(url: str, deadline: float) -> None:
    psycopg.connect(url, connect_timeout=max(int(deadline - time.monotonic()), 2)).close()


def _read_line(descriptor: int, deadline: float) -> str:
    text = b""
    while not text.endswith(b"\n"):
        readable, _, _ = select.select([descriptor], [], [], max(deadline - time.monotonic(), 0))
        chunk = os.read(descriptor, _ANSWER_BYTES) if readable else b""
        if not chunk:
            break
        text += chunk
    return text.decode(errors="replace").strip()


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > _KEPT_LOG_BYTES:
        log.rename(log.with_name("log.1"))


def _last_lines(log: Path) -> list[str]:
    try:
        return log.read_text(errors="replace").splitlines()[-_SHOWN_LOG_LINES:]
    except OSError:
        return []
