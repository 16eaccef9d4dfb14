"""How much memory a process has, as the kernel counts it."""

import os

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
MIB = 1 << 20


def resident_bytes(pid: int) -> int:
    """What is resident of a process, with what it shares with others; 0 for one that is dead.

    The kernel keeps this number, so that reading it costs some microseconds, however large the process is.
    """
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError, ValueError):
        return 0


def own_bytes() -> int:
    """The same of this process."""
    return resident_bytes(os.getpid())
