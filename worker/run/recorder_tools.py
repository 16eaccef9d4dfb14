"""What every session of a recorder process uses, wired once."""

from dataclasses import dataclass
from pathlib import Path

from sessions.settings import Settings
from store.database.database import Database
from store.objects.objects import Objects
from store.runs.runs import Runs
from worker.joining.joins import Joins
from worker.lease.beats import Beats
from worker.lease.drain import Drain
from worker.spool.spool_writer import SpoolWriter


@dataclass(frozen=True, slots=True)
class RecorderTools:
    """The process's share of everything; `spool_folder` is the locked folder of its owner."""

    settings: Settings
    db: Database
    runs: Runs
    beats: Beats
    joins: Joins
    objects: Objects
    spool_writer: SpoolWriter
    spool_folder: Path
    drain: Drain
