"""The folder of one run's segments: tried before the run counts as recording, removed once it is empty."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sessions.errors import ParleyError
from store.runs.fence import Fence
from worker.spool.spool_folder import remove_run_folder
from worker.spool.spool_writer import DISK_FULL


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A folder that could be written when it was opened; `fence` says whose it is."""

    fence: Fence
    path: Path

    @classmethod
    def open(cls, owner_folder: Path, fence: Fence) -> Self:
        """Make the run's folder inside its owner's, and try to write into it. Blocking.

        Raises:
            ParleyError: `storage.full` or `storage.write_failed`.
        """
        path = owner_folder / str(fence.session_id) / str(fence.epoch)
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe = path / "probe.open"
            probe.write_bytes(b"\0" * 4096)
            probe.unlink()
        except OSError as error:
            code = "storage.full" if error.errno in DISK_FULL else "storage.write_failed"
            raise ParleyError(code, "the worker's spool cannot be written") from None
        return cls(fence, path)

    def remove_if_empty(self) -> None:
        """Remove the folder of a sealed run if no segment is left in it. Blocking."""
        remove_run_folder(self.path)
