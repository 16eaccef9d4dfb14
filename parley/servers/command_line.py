"""What `ps` shows of this process."""

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path

_ARG_START, _ARG_END, _ENV_START, _ENV_END = 45, 46, 47, 48  # of the fields of /proc/self/stat after the name, proc(5)


def show_command_line(arguments: Sequence[str]) -> None:
    """Write over the arguments that this process was started with, and over its environment where they are too short.

    A forked process has its parent's; the kernel shows what stands at that place in memory. It reads on into the
    environment when the last byte of the arguments is not zero: up to the first zero, so that words are parted by
    blanks there. The environment itself moves, and stays what it is.
    """
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end, env_start, env_end = (int(fields[index]) for index in (_ARG_START, _ARG_END, _ENV_START, _ENV_END))
    words = [argument.encode() for argument in arguments]
    if len(b"\0".join(words)) < end - start or env_start != end:
        text = b"\0".join(words)[: end - start - 1]
        ctypes.memmove(start, text.ljust(end - start, b"\0"), end - start)
        return
    for name, value in os.environ.items():
        os.putenv(name, value)  # a copy elsewhere
    text = b" ".join(words)[: env_end - start - 1]
    ctypes.memmove(start, text.ljust(env_end - start, b"\0"), env_end - start)
