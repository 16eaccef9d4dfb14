"""The environment of a peer that can't share ours: livekit-agents pins another version of the SDK; others are large.

Benchmarks and end-to-end tests use it. `python -m tools.peers.peer_environment` (in `make test`) makes it, once.
"""

import fcntl
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

from parley.servers.livekit_program import cache_folder

PEERS = Path(__file__).parent
_REQUIREMENTS = PEERS / "livekit_agents.txt"
_OUR_UV = Path(__file__).parents[2] / ".uv" / "bin" / "uv"


class NoPeerError(Exception):
    """The peer can't be installed here; the text says why."""


def agents_version() -> str:
    """The version of livekit-agents that is pinned."""
    for line in _REQUIREMENTS.read_text().splitlines():
        if line.startswith("livekit-agents=="):
            return line.removeprefix("livekit-agents==").split()[0]
    raise NoPeerError(f"{_REQUIREMENTS} pins no livekit-agents")


def agents_python() -> Path:
    """The Python of an environment with livekit-agents, made on demand in the user's cache folder.

    Raises NoPeerError.
    """
    return peer_python(f"livekit-agents-{agents_version()}", _REQUIREMENTS)


def peer_python(name: str, requirements: Path) -> Path:
    """The Python of an environment with what a file pins by hashes, made on demand in the user's cache folder.

    Raises NoPeerError.
    """
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = cache_folder().parent / "peers" / f"{name}-{digest}"
    done = folder / ".synced"
    python = folder / "bin" / "python"
    if done.exists():
        return python
    uv = os.fspath(_OUR_UV) if _OUR_UV.exists() else shutil.which("uv")
    if uv is None:
        raise NoPeerError("uv is missing: run `make setup`")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            print(f"   installing {name} into {folder} …", flush=True)
            _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder])
            _run([uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", requirements])
            done.touch()
    return python


def sdk_version() -> str:
    """The version of the SDK that we use ourselves."""
    return importlib.metadata.version("livekit")


def _run(argv: list[str | Path]) -> None:
    finished = subprocess.run(argv, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise NoPeerError(f"uv could not install it: {finished.stderr.strip()[-400:]}")


if __name__ == "__main__":
    try:
        print(f"livekit-agents: {agents_python()}")
    except NoPeerError as no_peer:
        sys.exit(str(no_peer))
