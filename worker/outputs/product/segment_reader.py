"""Lets a thread read stored segments while the event loop goes on."""

import asyncio
import threading
from typing import Self

from store.objects.errors import ObjectMissing
from store.objects.objects import Objects

_SEGMENT_SECONDS = 120.0  # bound of one segment's download, the storage's own retries included


class SegmentReader:
    """Called in a thread with a storage key, it returns the bytes; once the block is left, it raises OSError instead.

    It is made in the event loop that runs the downloads. Raises FileNotFoundError for an object that is missing.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._loop = asyncio.get_running_loop()
        self.canceled = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.canceled.set()

    def __call__(self, storage_key: str) -> bytes:
        if self.canceled.is_set():
            raise OSError("the work on the segments was canceled")
        local = self._objects.local_path(storage_key)
        if local is not None:
            return local.read_bytes()
        try:
            reading = asyncio.run_coroutine_threadsafe(self._objects.get(storage_key), self._loop)
            return reading.result(_SEGMENT_SECONDS)
        except ObjectMissing:
            raise FileNotFoundError(storage_key) from None
