"""`python full_pipe.py stalled|gone COMMAND…`: runs a program whose stderr is a full pipe that nobody reads any more.

stalled: its reader stands still; gone: it is closed. The smallest pipe holds a page.
"""

import fcntl
import os
import sys

_PAGE_BYTES = 4096


def main() -> None:
    """Never returns."""
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, _PAGE_BYTES)
    os.write(write, b"\n" * fcntl.fcntl(write, fcntl.F_GETPIPE_SZ))
    if sys.argv[1] == "stalled":
        os.set_inheritable(read, True)
    else:
        os.close(read)
    os.dup2(write, sys.stderr.fileno())
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
