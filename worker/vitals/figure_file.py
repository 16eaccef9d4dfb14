"""A small file in which a process tells its supervisor its figures: replaced every second.

It is a file and not a pipe, so that a process that dies, hangs or reads nothing blocks no other, and nothing piles up.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

_FOLDER = "figures"
_EVERY_SECONDS = 1.0
_STALE_SECONDS = 60.0
_MOST_BYTES = 1 << 14


class FigureFile:
    """One process's; `name` is its own in this data folder."""

    def __init__(self, data_dir: Path, name: str) -> None:
        self._path = data_dir / _FOLDER / f"{name}.json"

    def read(self) -> Any:
        """What the process wrote last, as JSON; None if that can't be read, or it has written nothing yet."""
        try:
            with self._path.open("rb") as file:
                return json.loads(file.read(_MOST_BYTES))
        except (OSError, ValueError):
            return None

    def write(self, figures: Any) -> None:
        """Replace what was written before. Blocking, at times for more than a second (seen).

        Raises:
            OSError: the disk is full or broken.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(figures))
        os.replace(new, self._path)

    async def keep_writing(self, figures: Callable[[], Any]) -> None:
        """Write every second until canceled; figures that cannot be written are skipped, as work matters more.

        It is done in a thread of its own: one thing after the other, and a slow disk keeps nothing else waiting.
        """
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "figures") as thread:
            try:
                while True:
                    with suppress(OSError):
                        await loop.run_in_executor(thread, self.write, figures())
                    await asyncio.sleep(_EVERY_SECONDS)
            finally:
                await loop.run_in_executor(thread, self._remove)

    def _remove(self) -> None:
        self._path.unlink(missing_ok=True)


def forget_the_dead(data_dir: Path) -> None:
    """Remove the files of killed processes."""
    for path in (data_dir / _FOLDER).glob("*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                path.unlink()
