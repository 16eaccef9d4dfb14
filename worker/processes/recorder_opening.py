"""What a recorder process opens, the loops that run beside its sessions, and its signals.

Before LiveKit's native library is loaded, `worker.processes.signals.SIGNALS` must be blocked: its threads inherit
the mask.
"""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from uuid import UUID

import structlog

from sessions.settings import Settings
from store.access.vault import TokenVault
from store.database.database_access import DatabaseAccess
from store.database.notify.channels import CLAIM_CHANNEL, MESSAGE_CHANNEL, SESSION_CHANNEL
from store.database.notify.listener_names import RECORDER_LISTENER
from store.database.notify.notifications import Listener
from store.installation.storage_identity import StorageIdentity
from store.objects.objects import Objects
from store.runs.claims import Claims
from store.runs.runs import Runs
from worker.guard.guard_line import GuardLine
from worker.joining.joins import Joins
from worker.lease.beats import Beats
from worker.lease.drain import Drain
from worker.processes.recorder_process import RecorderProcess
from worker.processes.signals import watch_signals
from worker.run.recorder_tools import RecorderTools
from worker.spool.spool_folder import open_spool_folder
from worker.spool.spool_writer import SpoolWriter
from worker.vitals.figure_file import FigureFile
from worker.vitals.process_figures import ProcessFigures
from worker.vitals.process_memory import own_bytes
from worker.vitals.pulse import Pulse, longest_silence_seconds

_log = structlog.get_logger(__name__)

_CHANNELS = (CLAIM_CHANNEL, SESSION_CHANNEL, MESSAGE_CHANNEL)
_JOINS_LAND_SECONDS = 2.5
_FLUSH_SECONDS = 2.0
_WEIGH_SECONDS = 0.2
PANIC_EXIT_CODE = 70


@dataclass(frozen=True, slots=True)
class RecorderPost:
    """As what a supervisor starts a recorder process.

    Attributes:
        owner: what its runs carry.
        suspects: how many it is for; 0: it is for all other sessions. See `RecorderProcess`.
        pulse: by which it says that it lives, and that it retires; None: nobody listens.
        guard_port: of the guard on loopback that it goes through, if it does.
    """

    owner: UUID
    suspects: int = 0
    pulse: Pulse | None = None
    guard_port: int | None = None


class OpenRecorder:
    """A recorder process with everything it needs, ready to `run`."""

    def __init__(
        self,
        process: RecorderProcess,
        tools: RecorderTools,
        listener: Listener,
        pulse: Pulse | None,
        log_lines_dropped: Callable[[], int],
        memory: Callable[[], int],
    ) -> None:
        self.process = process
        self.writer = tools.spool_writer
        self._tools = tools
        self._listener = listener
        self._pulse = pulse
        self._log_lines_dropped = log_lines_dropped
        self._memory = memory

    async def run(self) -> bool:
        """Run until stopped; False if some joins never landed: then the process must exit without closing its loop."""
        file = FigureFile(self._tools.settings.data_dir, str(self.process.owner))
        async with asyncio.TaskGroup() as loops:
            background = [
                loops.create_task(self._tools.beats.run(), name="beats"),
                loops.create_task(self._tools.beats.watch_fences(), name="fences"),
                loops.create_task(file.keep_writing(lambda: asdict(self._figures())), name="figures"),
                loops.create_task(self._weigh(), name="weight"),
                loops.create_task(_listen(self._listener, self.process, self._tools.beats), name="listener"),
            ]
            if self._pulse is not None:
                settings = self._tools.settings
                silence_seconds = longest_silence_seconds(settings.heartbeat_seconds, settings.stalled_seconds)
                background.append(loops.create_task(self._pulse.keep(silence_seconds), name="pulse"))
            await self.process.run()
            for task in background:
                task.cancel()
        return await self._tools.joins.all_landed(_JOINS_LAND_SECONDS)

    def stop(self) -> None:
        """Begin to stop, as `RecorderProcess.stop`; what is blamed then depends on how large the process is now."""
        self.process.weigh(self._memory())
        self.process.stop()

    async def _weigh(self) -> None:
        while True:
            self.process.weigh(self._memory())
            await asyncio.sleep(_WEIGH_SECONDS)

    def _figures(self) -> ProcessFigures:
        return replace(self.process.figures, log_lines_dropped=self._log_lines_dropped())


@asynccontextmanager
async def open_recorder(
    settings: Settings,
    access: DatabaseAccess,
    objects: Objects,
    post: RecorderPost,
    *,
    log_lines_dropped: Callable[[], int] = int,
    memory: Callable[[], int] = own_bytes,
) -> AsyncIterator[OpenRecorder]:
    """Open spool, database connections and listener; leaving the block waits for the last join to land.

    `memory` tells how many bytes this process has.
    """
    owner, pulse = post.owner, post.pulse
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(open_spool_folder(settings.data_dir, owner))
        writer = stack.enter_context(SpoolWriter())
        db = await stack.enter_async_context(access.open("parley-recorder", pool_size=3))
        beats_db = await stack.enter_async_context(access.open("parley-beats", pool_size=1))
        listener = await stack.enter_async_context(access.listen(RECORDER_LISTENER, _CHANNELS))
        vault = TokenVault(settings.secret_key)
        beats = Beats(
            Runs(beats_db, vault),
            owner,
            heartbeat_seconds=settings.heartbeat_seconds,
            stalled_seconds=settings.stalled_seconds,
        )
        guard = None if post.guard_port is None else GuardLine(post.guard_port, str(owner))
        joins = Joins(await stack.enter_async_context(asyncio.TaskGroup()), guard=guard)
        confirm = StorageIdentity(db, objects).confirm
        tools = RecorderTools(settings, db, Runs(db, vault), beats, joins, objects, confirm, writer, folder, Drain())
        retires = _nobody_asks if pulse is None else pulse.retire
        process = RecorderProcess(tools, Claims(db, vault), owner, post.suspects, retires)
        yield OpenRecorder(process, tools, listener, pulse, log_lines_dropped, memory)


async def run_recorder_process(
    settings: Settings,
    access: DatabaseAccess,
    objects: Objects,
    post: RecorderPost,
    *,
    log_lines_dropped: Callable[[], int] = int,
) -> None:
    """Run until SIGTERM or SIGINT from another process, then hand over; SIGUSR1: claim no more, and be ready for that.

    Raises:
        RuntimeError: the signals are not blocked.
    """
    async with open_recorder(settings, access, objects, post, log_lines_dropped=log_lines_dropped) as recorder:

        def on_signal(number: signal.Signals) -> None:
            _log.info("signal.received", name=number.name)
            if number is signal.SIGUSR1:
                recorder.process.prepare_to_stop()
            else:
                recorder.stop()

        def on_panic() -> None:
            recorder.writer.flush(timeout_seconds=_FLUSH_SECONDS)
            os._exit(PANIC_EXIT_CODE)

        with watch_signals(on_signal, on_panic):
            if not await recorder.run():
                # Closing the loop would cancel the joins and so abort the process. Every session is sealed.
                _log.warning("joins.never_landed")
                recorder.writer.flush(timeout_seconds=_FLUSH_SECONDS)
                logging.shutdown()
                os._exit(0)


def _nobody_asks() -> None:
    pass


async def _listen(listener: Listener, process: RecorderProcess, beats: Beats) -> None:
    async for channel, _, subject in listener:
        if channel == CLAIM_CHANNEL:
            process.wake()
        elif subject is None:
            process.wake()
            beats.hurry()
        elif channel == MESSAGE_CHANNEL:
            beats.messages_wait(subject)
        elif beats.knows(subject):
            beats.hurry()
