"""`parley nursery`: the process that recorder processes are forked from, a child of `parley worker`.

It has imported all that they need, and joins nothing: LiveKit's native library, which starts threads, is loaded by a
recorder when it begins. So one that died is replaced in milliseconds, and many of them share most of their memory.
"""

import signal
import sys
from uuid import UUID

from parley.commands.loading import loading
from parley.commands.recorder import run_recorder
from parley.servers.command_line import show_command_line
from parley.servers.fork_server import serve_forks
from worker.processes.signals import SIGNALS
from worker.vitals.pulse import Pulse


def run_nursery(fd: int) -> int:
    """Fork recorders until the other end of the socket `fd` is closed. In each of them this is `run_recorder`."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    with loading():
        import worker.processes.recorder_opening  # noqa: F401
    forked = serve_forks(fd)
    if forked is None:
        return 0
    owner, suspects = UUID(forked.request["owner"]), int(forked.request["suspects"])
    show_command_line([sys.executable, "-m", "parley", "recorder", "--owner", str(owner), "--suspects", str(suspects)])
    with Pulse(*forked.fds) as pulse:
        return run_recorder(owner, suspects, pulse)
