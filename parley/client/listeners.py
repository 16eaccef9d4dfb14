"""Which `parley listen` run on this machine, for `parley trigger`: a file each, locked while its process lives.

The files hold signing secrets of no other use, and are their owner's: 0600 in a folder that is 0700.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Listener:
    """Where one forwards events to, and the secret with which it signs."""

    forward_to: str
    secret: str


@contextmanager
def announced(listener: Listener, environment: Mapping[str, str]) -> Iterator[None]:
    """Others on this machine find the listener in this block."""
    folder = _folder(environment)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"{os.getpid()}.json"
    partial = file.with_suffix("")
    partial.unlink(missing_ok=True)  # of a process that had this number before
    with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        json.dump(asdict(listener), opened)
        opened.flush()
        partial.rename(file)  # found only when it is locked and whole
        try:
            yield
        finally:
            file.unlink(missing_ok=True)


def running_listeners(environment: Mapping[str, str]) -> list[Listener]:
    """Those that run now; what killed ones have left is removed."""
    found = []
    for file in sorted(_folder(environment).glob("*.json")):
        try:
            with file.open() as opened:
                if _is_locked(opened.fileno()):
                    found.append(Listener(**json.load(opened)))
                else:
                    file.unlink(missing_ok=True)
        except (OSError, ValueError, TypeError):
            continue  # it has just ended, or is none
    return found


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _folder(environment: Mapping[str, str]) -> Path:
    home = environment.get("XDG_STATE_HOME") or str(Path(environment.get("HOME") or "~").expanduser() / ".local/state")
    return Path(home) / "parley" / "listeners"
