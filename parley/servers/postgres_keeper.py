"""The keeper: one process per data folder that runs PostgreSQL for as long as anybody uses it.

Started by `EmbeddedPostgres`, never by hand: `python -m parley.servers.postgres_keeper FOLDER START_SECONDS FSYNC`.
It says one line on stdout (`ready` or what is wrong), then waits for the server's end and, in a thread, for the
exclusive use.lock: having that means that the last user is gone, however it went. It stops the server then, and exits
still holding the lock, so that a new user waits for the end instead of racing with it. If the keeper is killed, the
kernel tells the server to stop, and the users start another keeper.
"""

import contextlib
import ctypes
import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from parley.servers.child_process import spawn
from parley.servers.postgres_folder import (
    DATABASE,
    MAJOR_VERSION,
    PORT,
    ROLE,
    EmbeddedPostgresError,
    PostgresFolder,
    binaries,
    lock_within,
    make_owner_only,
)

_POLL_SECONDS = 0.005
_FAST_SHUTDOWN_SECONDS = 20
_STATUS_LINE = 7  # of postmaster.pid, counted from 0 (miscadmin.h: LOCK_FILE_LINE_PM_STATUS)
_CLONE_NEWUSER = 0x10000000
_libc = ctypes.CDLL(None, use_errno=True)

_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",  # else the log quotes rows, and keeps what customers have deleted
}
_UNSAFE_SETTINGS = {"fsync": "off", "full_page_writes": "off"}  # still safe from a kill -9 of the server


class Keeper:
    """Starts the server of one folder and stops it after its last user. Call from the main thread only."""

    def __init__(self, folder: PostgresFolder, *, start_seconds: float, fsync: bool) -> None:
        self._folder = folder
        self._deadline = time.monotonic() + start_seconds
        self._fsync = fsync
        self._bin = binaries()
        self._before_exec = _identity_change()
        self._alive = folder.open(folder.alive_lock)

    def start(self) -> subprocess.Popen[bytes] | None:
        """The server once it accepts connections; None if another keeper's does.

        Raises EmbeddedPostgresError.
        """
        while not lock_within(self._alive, fcntl.LOCK_EX, time.monotonic()):
            if self._accepts_connections():
                return None
            if time.monotonic() > self._deadline:
                raise EmbeddedPostgresError(
                    f"An earlier PostgreSQL on {self._folder.path} neither stops nor answers. See {self._folder.log}"
                )
            time.sleep(_POLL_SECONDS)
        if not self._folder.cluster.exists():
            self._make_cluster()
        self._check_version()
        make_owner_only(self._folder.socket_folder)
        # alive.lock is ours: whomever these name, a zombie or a stranger, it is no server of this folder
        (self._folder.cluster / "postmaster.pid").unlink(missing_ok=True)
        self._folder.socket.with_name(f"{self._folder.socket.name}.lock").unlink(missing_ok=True)
        server = self._run("postgres", "-D", self._folder.cluster, *self._options(), death_signal=signal.SIGINT)
        while not self._accepts_connections():
            if server.poll() is not None:
                raise EmbeddedPostgresError(f"PostgreSQL did not start. See {self._folder.log}")
            if time.monotonic() > self._deadline:
                server.send_signal(signal.SIGQUIT)
                raise EmbeddedPostgresError(f"PostgreSQL was not ready in time. See {self._folder.log}")
            time.sleep(_POLL_SECONDS)
        return server

    def keep(self, server: subprocess.Popen[bytes]) -> None:
        """Wait for the server's end, which comes after its last user's."""
        threading.Thread(target=self._stop_after_last_user, args=(server,), daemon=True).start()
        server.wait()
        if self._folder.socket_folder.parent != self._folder.path:
            with contextlib.suppress(OSError):
                self._folder.socket_folder.rmdir()

    def _stop_after_last_user(self, server: subprocess.Popen[bytes]) -> None:
        use = self._folder.open(self._folder.use_lock)  # left open: held until this process is gone
        fcntl.flock(use, fcntl.LOCK_EX)
        server.send_signal(signal.SIGINT)
        try:
            server.wait(_FAST_SHUTDOWN_SECONDS)
        except subprocess.TimeoutExpired:
            server.send_signal(signal.SIGQUIT)

    def _accepts_connections(self) -> bool:
        """The file alone proves nothing (a killed server leaves it), nor the socket (it opens before recovery ends)."""
        try:
            lines = (self._folder.cluster / "postmaster.pid").read_text().splitlines()
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(self._folder.socket))
        except OSError:
            return False
        return len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready"

    def _check_version(self) -> None:
        found = (self._folder.cluster / "PG_VERSION").read_text().strip()
        if found != MAJOR_VERSION:
            raise EmbeddedPostgresError(
                f"{self._folder.cluster} was made by PostgreSQL {found}, this Parley brings {MAJOR_VERSION}. Move the "
                f"data with pg_dump of version {found}, or use another data folder."
            )

    def _make_cluster(self) -> None:
        """A complete cluster with role and database, or none: it gets its name when it is on disk."""
        unfinished = self._folder.unfinished_cluster
        shutil.rmtree(unfinished, ignore_errors=True)
        initdb: list[str | Path] = [
            "-D",
            unfinished,
            f"--username={ROLE}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
        ]
        initdb += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
        self._finish("initdb", *initdb, *([] if self._fsync else ["--no-sync"]))
        create_database = f"CREATE DATABASE {DATABASE}\n".encode()
        self._finish("postgres", "--single", "-D", unfinished, *self._durability(), "postgres", stdin=create_database)
        unfinished.rename(self._folder.cluster)
        if self._fsync:
            parent = os.open(self._folder.path, os.O_RDONLY)
            os.fsync(parent)
            os.close(parent)

    def _durability(self) -> list[str]:
        return [] if self._fsync else [f"-c{name}={value}" for name, value in _UNSAFE_SETTINGS.items()]

    def _options(self) -> list[str]:
        quoted = str(self._folder.socket_folder).replace('"', '""')  # the setting is a list; a comma would split it
        settings = _SETTINGS | {"unix_socket_directories": f'"{quoted}"'}
        return [f"-c{name}={value}" for name, value in settings.items()] + self._durability()

    def _finish(self, program: str, *arguments: str | Path, stdin: bytes = b"") -> None:
        read_end, write_end = os.pipe()
        os.write(write_end, stdin)
        os.close(write_end)
        with os.fdopen(read_end, "rb") as given:
            process = self._run(program, *arguments, death_signal=signal.SIGKILL, stdin=given.fileno())
        if process.wait() != 0:
            raise EmbeddedPostgresError(f"{program} could not make the database. See {self._folder.log}")

    def _run(
        self, program: str, *arguments: str | Path, death_signal: signal.Signals, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "PARLEY_"))
        }
        try:
            return spawn(
                [self._bin / program, *arguments],
                death_signal=death_signal,
                pass_fds=[self._alive],
                env=environment | {"LC_ALL": "C"},
                stdin=stdin,
                stdout=sys.stderr.fileno(),
                stderr=sys.stderr.fileno(),
                before_exec=self._before_exec,
            )
        except subprocess.SubprocessError:  # before_exec failed
            raise EmbeddedPostgresError(
                "PostgreSQL refuses to run as root, and this system forbids the user namespace that would help. Run "
                f"Parley as an ordinary user, or give the folder to one (chown -R 1000:1000 {self._folder.path}), or "
                "set PARLEY_DATABASE_URL to a PostgreSQL of your own."
            ) from None


def _identity_change() -> Callable[[], None] | None:
    """What a child of ours must do before PostgreSQL agrees to run in it.

    PostgreSQL refuses user 0 and users without an entry in the password file. Where we are such a user, the children
    get a user namespace in which they are an ordinary one: files stay ours, nothing is chowned. Where we are root and
    the folder is somebody else's, this process has become that user already.
    """
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0 and _has_name(uid):
        return None
    inner_uid = next((entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0), None)
    if inner_uid is None:
        raise EmbeddedPostgresError("PostgreSQL needs a user other than root in /etc/passwd. Add one: useradd parley")

    def enter_namespace() -> None:
        if _libc.unshare(_CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWUSER)")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{inner_uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{inner_uid} {gid} 1")

    return enter_namespace


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _become_owner(path: Path) -> None:
    """As root in a folder of an ordinary user, be that user."""
    found = path.stat()
    if os.geteuid() == 0 and found.st_uid != 0:
        os.setgroups([])
        os.setgid(found.st_gid)
        os.setuid(found.st_uid)


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # the starter may be gone; others may wait for the server
        os.write(sys.stdout.fileno(), line.encode() + b"\n")
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def main(path: str, start_seconds: str, fsync: str) -> None:
    if os.fork() != 0:  # our parent shall be init, so that no process tree of a user holds the server
        os._exit(0)
    try:
        _become_owner(Path(path))
        keeper = Keeper(PostgresFolder(Path(path)), start_seconds=float(start_seconds), fsync=fsync == "1")
        server = keeper.start()
    except (EmbeddedPostgresError, OSError) as error:
        _say(str(error))
        os._exit(1)
    _say("ready")
    if server is not None:
        keeper.keep(server)
    os._exit(0)  # use.lock, which a thread may hold, is released by this and not earlier


if __name__ == "__main__":
    main(*sys.argv[1:])
