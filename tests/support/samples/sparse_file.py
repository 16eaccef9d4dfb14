"""A file of which silence takes no room."""

import io
from typing import Any


class SparseFile(io.FileIO):
    """Blocks of zeros are skipped, not written; it is as long as what was written."""

    def write(self, data: Any, /) -> int:
        """The number of bytes, all of them."""
        block = bytes(data)
        if block != bytes(len(block)):
            return super().write(block)
        end = self.seek(len(block), io.SEEK_CUR)
        if end > self._size():
            self.truncate(end)
        return len(block)

    def _size(self) -> int:
        here = self.tell()
        size = self.seek(0, io.SEEK_END)
        self.seek(here)
        return size
