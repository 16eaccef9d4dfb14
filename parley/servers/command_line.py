"""What `ps` shows of this process."""

import ctypes
from collections.abc import Sequence
from pathlib import Path

_ARG_START, _ARG_END = 45, 46  # of the fields of /proc/self/stat after the name, see proc(5)


def show_command_line(arguments: Sequence[str]) -> None:
    """Write over the arguments that this process was started with, as far as there is room.

    A forked process has its parent's; the kernel shows what stands at that place in memory.
    """
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[_ARG_START]), int(fields[_ARG_END])
    text = "\0".join(arguments).encode()[: end - start - 1]
    ctypes.memmove(start, text.ljust(end - start, b"\0"), end - start)
