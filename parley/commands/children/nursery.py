"""`parley nursery`: the process that `parley worker`'s other children are forked from, itself forked from it.

It has imported what they need, and so has `parley worker`, before it forks this one: a module that is imported after
a fork is in memory twice, and so is each page that the import touches. LiveKit's native library, which starts threads,
is loaded by a recorder when it begins; what hears and encodes, by the process for speech. Settings are read and the
log is configured before, once for all. So a child that died is replaced in milliseconds, and all of them share most of
their memory.
"""

import signal
import sys
from collections.abc import Callable, Mapping
from functools import partial
from uuid import UUID

from parley.commands.children.guard import run_guard
from parley.commands.children.jobs import run_jobs_child
from parley.commands.children.recorder import run_recorder
from parley.commands.children.webhooks import run_webhooks_child
from parley.commands.children.worker_children import GUARD, JOBS, RECORDER, SPEECH, WEBHOOKS
from parley.servers.command_line import show_command_line
from parley.servers.fork_server import serve_forks
from sessions.settings import Settings
from store.jobs.deferring import SHORT_QUEUE, SPEECH_QUEUE
from worker.processes.recorder_opening import RecorderPost
from worker.processes.signals import SIGNALS
from worker.vitals.malloc_arenas import share_arenas
from worker.vitals.pulse import Pulse

_OTHERS: Mapping[str, Callable[..., int]] = {
    GUARD: run_guard,
    JOBS: partial(run_jobs_child, SHORT_QUEUE),
    SPEECH: partial(run_jobs_child, SPEECH_QUEUE),
    WEBHOOKS: run_webhooks_child,
}


def run_nursery(fd: int, settings: Settings) -> int:
    """Fork children until the other end of the socket `fd` is closed. In each of them this runs what was asked for.

    The log is configured; each child is named in it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    share_arenas()
    _show("nursery")
    forked = serve_forks(fd)
    if forked is None:
        return 0
    request = forked.request
    if request["run"] == RECORDER:
        owner, suspects = UUID(request["owner"]), int(request["suspects"])
        _show(RECORDER, "--owner", str(owner), "--suspects", str(suspects))
        with Pulse(*forked.fds) as pulse:
            return run_recorder(settings, RecorderPost(owner, suspects, pulse, int(request["guard_port"])))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # the others never load LiveKit
    _show(request["run"])
    return _OTHERS[request["run"]](settings, *forked.fds)


def _show(*arguments: str) -> None:
    show_command_line([sys.executable, "-m", "parley", *arguments])
