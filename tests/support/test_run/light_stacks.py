"""Where every task, callback and future came from, as asyncio's debug mode notes it, at next to no cost."""

import asyncio
import traceback
from collections import deque
from collections.abc import Iterator
from itertools import islice
from types import FrameType
from typing import Any


class LightSummary(traceback.StackSummary):
    """The standard library's, but nothing is read before somebody prints it, and no file is asked if it has changed.

    To ask took a fifth of what API tests compute (measured), and no file changes while tests run.
    """

    @classmethod
    def extract(  # type: ignore[override] # fewer kinds of frames
        cls,
        frame_gen: Iterator[tuple[FrameType, int]],
        *,
        limit: int | None = None,
        lookup_lines: bool = False,
        capture_locals: bool = False,
    ) -> traceback.StackSummary:
        """Of (frame, line) pairs the first `limit`, or with a negative one the last."""
        del lookup_lines
        assert not capture_locals
        if limit is not None:
            frame_gen = islice(frame_gen, limit) if limit >= 0 else iter(deque(frame_gen, maxlen=-limit))
        stack = cls()
        for frame, line in frame_gen:
            code = frame.f_code
            stack.append(traceback.FrameSummary(code.co_filename, line, code.co_name, lookup_line=False))
        return stack


def note_lightly() -> None:
    """From here on, in this process."""
    library: Any = traceback
    library.StackSummary = LightSummary
    kind: Any = asyncio.Handle
    kind.cancel = _cancel


def _cancel(handle: Any) -> None:
    """The standard library's, but of what was canceled the name is kept, and not what its arguments look like.

    To draw them took a twelfth of what API tests compute (measured), for almost every timer is canceled.
    """
    if not handle._cancelled:
        handle._cancelled = True
        if handle._loop.get_debug():
            name = getattr(handle._callback, "__qualname__", type(handle._callback).__name__)
            origin = f" created at {last[-1].filename}:{last[-1].lineno}" if (last := handle._source_traceback) else ""
            handle._repr = f"<{type(handle).__name__} cancelled {name}(){origin}>"
        handle._callback = handle._args = None
