"""The program livekit-server: found on this machine, or built once with Go into the user's cache folder.

`python -m parley.servers.livekit_program build` does only that.
"""

import argparse
import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from parley.command_error import CommandError
from parley.servers.child_process import spawn

VERSION = "v1.13.5"
_GO_PACKAGE = f"github.com/livekit/livekit-server/cmd/server@{VERSION}"
_GO_PROGRAM = "server"  # what `go install` calls it
_PROGRAM = "livekit-server"
_PROGRESS_SECONDS = 5
_PACKAGES = 780
_SHOWN_LINES = 15

_INSTALL_HELP = f"""\
Parley needs a LiveKit server for its demo and its tests. Any of these will do:
  - install Go (https://go.dev/doc/install) and repeat the command: Parley then builds livekit-server {VERSION} once
  - install livekit-server as LiveKit says (https://docs.livekit.io/home/self-hosting/local/):
      Linux:  curl -sSL https://get.livekit.io | bash
      macOS:  brew install livekit
  - set PARLEY_LIVEKIT_SERVER to the path of a livekit-server program"""


class LiveKitServerError(CommandError):
    """No server to run, or it does not run; the text says why and what to do."""


def find_or_build(progress: Callable[[str], object], *, configured: Path | None = None) -> Path:
    """The program: `configured` (else PARLEY_LIVEKIT_SERVER), on PATH, built before, built now with Go.

    `progress` gets a line now and then while it is built, which takes minutes. Raises LiveKitServerError.
    """
    if configured is None and (named := os.environ.get("PARLEY_LIVEKIT_SERVER")):
        configured = Path(named)
    if configured is not None:
        if os.access(configured, os.X_OK) and configured.is_file():
            return configured.absolute()
        raise LiveKitServerError(f"PARLEY_LIVEKIT_SERVER is {configured}, which is not a program that we may run.")
    if installed := shutil.which(_PROGRAM):
        return Path(installed)
    built = cache_folder() / _PROGRAM
    if not built.is_file():
        _build(built, progress)
    return built


def cache_folder() -> Path:
    """Where the server that we built is kept."""
    caches = os.environ.get("XDG_CACHE_HOME", "")
    parent = Path(caches) if os.path.isabs(caches) else Path.home() / ".cache"
    return parent / "parley" / f"livekit-server-{VERSION}"


def _build(built: Path, progress: Callable[[str], object]) -> None:
    go = shutil.which("go")
    if go is None:
        raise LiveKitServerError(_INSTALL_HELP)
    built.parent.mkdir(parents=True, exist_ok=True)
    with _one_builder(built.parent, progress):
        if built.is_file():
            return
        progress(f"Building livekit-server {VERSION} with Go, once; this takes some minutes.")
        started = time.monotonic()
        with tempfile.TemporaryDirectory(dir=built.parent, prefix="build-") as folder:
            _go_install(go, Path(folder), progress)
            os.replace(Path(folder) / _GO_PROGRAM, built)
        progress(f"Built {built} in {time.monotonic() - started:.0f} s.")


@contextlib.contextmanager
def _one_builder(folder: Path, progress: Callable[[str], object]) -> Iterator[None]:
    with (folder / "build.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("Another process is building livekit-server; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _go_install(go: str, folder: Path, progress: Callable[[str], object]) -> None:
    environment = os.environ | {"GOBIN": str(folder), "GOWORK": "off", "GO111MODULE": "on", "CGO_ENABLED": "0"}
    argv = [go, "install", "-v", _GO_PACKAGE]
    with spawn(
        argv, death_signal=signal.SIGTERM, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        last_lines: deque[str] = deque(maxlen=_SHOWN_LINES)
        downloaded = compiled = 0
        shown = time.monotonic()
        for raw in process.stdout:  # `go: downloading MODULE`, then a line for each package compiled
            line = raw.decode(errors="replace").rstrip()
            last_lines.append(line)
            if line.startswith("go: downloading"):
                downloaded += 1
            else:
                compiled += 1
            if time.monotonic() - shown >= _PROGRESS_SECONDS:
                shown = time.monotonic()
                progress(f"  {downloaded} modules downloaded, {compiled} of about {_PACKAGES} packages compiled …")
    if process.returncode != 0:
        raise LiveKitServerError("\n".join(["`go install` failed:", *last_lines, "", _INSTALL_HELP]))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m parley.servers.livekit_program", description=__doc__)
    parser.add_argument("command", choices=["build"], help="find livekit-server, or build it with Go")
    parser.parse_args()
    try:
        print(f"livekit-server: {find_or_build(lambda line: print(line, flush=True))}")
    except LiveKitServerError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
