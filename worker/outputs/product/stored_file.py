"""A stored object as a file on this machine, for libraries that read files."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from store.objects.objects import Objects

_BLOCK_BYTES = 8 << 20


@asynccontextmanager
async def stored_file(objects: Objects, key: str, temporary: Path) -> AsyncIterator[Path]:
    """A path to the object `key`, good until the block is left: its own one, or that of a copy in `temporary`.

    Raises:
        StorageError: it is not there, or the storage is away.
        OSError: the copy can't be written.
    """
    if (path := objects.local_path(key)) is not None:
        yield path
        return
    with nameless_file(temporary) as file:
        position = 0
        size = await objects.head(key)
        while position < size:
            block = await objects.read_range(key, position, min(position + _BLOCK_BYTES, size))
            await asyncio.to_thread(file.write, block)
            position += len(block)
        file.flush()
        yield path_of(file)


def nameless_file(folder: Path) -> IO[bytes]:
    """A new file without a name in `folder`, which is made: it is gone however this process ends."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)


def path_of(file: IO[bytes]) -> Path:
    """A path to an open file that has no name."""
    return Path(f"/proc/self/fd/{file.fileno()}")
