"""One recorder process, a child of `parley worker`, forked from `parley nursery`.

The signals are blocked before anything loads LiveKit's native library, whose threads inherit the mask: only so the
process can tell a stop that somebody asked for from the one that the library sends to itself.
"""

import asyncio
import signal
from uuid import UUID

import uvloop

from parley.installation.installation import open_installation
from parley.installation.logging import rename_process
from parley.installation.object_storage import open_objects
from sessions.settings import Settings
from worker.guard.upstream import go_through
from worker.processes.recorder_opening import run_recorder_process
from worker.processes.signals import SIGNALS
from worker.room.livekit.native_library import forbid_programs
from worker.vitals.pulse import Pulse


def run_recorder(settings: Settings, owner: UUID, suspects: int, pulse: Pulse, *, guard_port: int) -> int:
    """Record until told to stop; `owner` is what this process's runs carry. See `RecorderProcess` for `suspects`.

    Rooms are reached through the guard on loopback; the object storage, which is open before, as the environment says.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    dropped = rename_process("recorder")
    installation = open_installation(settings, schema="leave")
    objects = open_objects(installation)
    go_through(guard_port, str(owner))
    forbid_programs()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(
            run_recorder_process(
                installation.settings,
                installation.database,
                objects,
                owner=owner,
                suspects=suspects,
                pulse=pulse,
                log_lines_dropped=dropped,
                guard_port=guard_port,
            )
        )
    return 0
