"""One recorder process, a child of `parley worker`, forked from `parley nursery`.

The signals are blocked before anything loads LiveKit's native library, whose threads inherit the mask: only so the
process can tell a stop that somebody asked for from the one that the library sends to itself.
"""

import asyncio
import signal

import uvloop

from parley.installation.installation import open_installation
from parley.installation.logging import rename_process
from parley.installation.object_storage import open_objects
from sessions.settings import Settings
from worker.guard.upstream import go_through
from worker.processes.recorder_opening import RecorderPost, run_recorder_process
from worker.processes.signals import SIGNALS
from worker.room.livekit.native_library import forbid_programs


def run_recorder(settings: Settings, post: RecorderPost) -> int:
    """Record until told to stop.

    Rooms are reached through the guard on loopback; the object storage, which is open before, as the environment says.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    dropped = rename_process("recorder")
    installation = open_installation(settings, schema="leave")
    objects = open_objects(installation)
    assert post.guard_port is not None  # no recorder of an installation reaches a room past the guard
    go_through(post.guard_port, str(post.owner))
    forbid_programs()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(
            run_recorder_process(installation.settings, installation.database, objects, post, log_lines_dropped=dropped)
        )
    return 0
