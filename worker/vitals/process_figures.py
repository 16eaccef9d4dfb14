"""What each recorder process tells its supervisor for /metrics: one small file per process, replaced every second.

It is a file and not a pipe, so that a process that dies, hangs or reads nothing blocks no other, and nothing piles up.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self
from uuid import UUID

_EVERY_SECONDS = 1.0
_STALE_SECONDS = 60.0
_MOST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class ProcessFigures:
    """One recorder process at one instant.

    Attributes:
        sessions_running: sessions that are in their room.
        slots_free: sessions that it would take; 0 once it was told to stop, or retires.
        sessions_served: since it started.
        beats_failed: since it started.
        audio_records_dropped: since it started; the spool's writer could not keep up.
        uploads_pending: sealed segments that the object storage does not have yet.
        log_lines_dropped: since it started; whoever reads the log stalled or went away.
    """

    sessions_running: int = 0
    slots_free: int = 0
    sessions_served: int = 0
    beats_failed: int = 0
    audio_records_dropped: int = 0
    uploads_pending: int = 0
    log_lines_dropped: int = 0

    @classmethod
    def read(cls, data_dir: Path, owner: UUID) -> Self | None:
        """What the process wrote last; None if it has written nothing yet."""
        try:
            with _file(data_dir, owner).open("rb") as file:
                written = json.loads(file.read(_MOST_BYTES))
            return cls(**{name: int(written[name]) for name in cls.__dataclass_fields__})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, data_dir: Path, owner: UUID) -> None:
        """Replace what was written before.

        Raises:
            OSError: the disk is full or broken.
        """
        path = _file(data_dir, owner)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(asdict(self)))
        os.replace(new, path)


async def keep_writing(data_dir: Path, owner: UUID, figures: Callable[[], ProcessFigures]) -> None:
    """Write every second until canceled; figures that cannot be written are skipped, as recordings matter more."""
    try:
        while True:
            with suppress(OSError):
                figures().write(data_dir, owner)
            await asyncio.sleep(_EVERY_SECONDS)
    finally:
        _file(data_dir, owner).unlink(missing_ok=True)


def forget_the_dead(data_dir: Path) -> None:
    """Remove the files of killed processes."""
    for path in (data_dir / "figures").glob("*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                path.unlink()


def _file(data_dir: Path, owner: UUID) -> Path:
    return data_dir / "figures" / f"{owner}.json"
