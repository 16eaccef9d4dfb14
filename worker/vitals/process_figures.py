"""What each recorder process tells its supervisor for /metrics."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import UUID

from worker.vitals.figure_file import FigureFile


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
        written = FigureFile(data_dir, str(owner)).read()
        try:
            return cls(**{name: int(written[name]) for name in cls.__dataclass_fields__})
        except (ValueError, KeyError, TypeError):
            return None
