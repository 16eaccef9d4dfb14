"""What all sessions of a recorder process share, wired once."""

from dataclasses import dataclass
from pathlib import Path

from sessions.settings import Settings
from store.database.database import Database
from store.installation.storage_identity import Confirm
from store.objects.objects import Objects
from store.runs.runs import Runs
from worker.joining.joins import Joins
from worker.lease.beats import Beats
from worker.lease.drain import Drain
from worker.spool.spool_writer import SpoolWriter


@dataclass(frozen=True, slots=True)
class RecorderTools:
    """What a session needs of its process; `spool_folder` is the process's locked folder."""

    settings: Settings
    db: Database
    runs: Runs
    beats: Beats
    joins: Joins
    objects: Objects
    confirm: Confirm
    spool_writer: SpoolWriter
    spool_folder: Path
    drain: Drain
