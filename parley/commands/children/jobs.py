"""A process that runs the jobs of one queue, a child of `parley worker`, forked from `parley nursery`."""

import asyncio
import os
from collections.abc import Awaitable, Callable

from parley.commands.loading import loading
from parley.installation.installation import Installation, open_installation
from parley.installation.logging import rename_process
from parley.installation.object_storage import open_objects
from parley.installation.stop_signals import stop_signals
from sessions.settings import Settings
from store.jobs.deferring import SPEECH_QUEUE
from worker.processes.job_process import run_job_process

_SPEECH_NICENESS = 15  # recordings are made in real time and come first; a transcript may wait


def run_jobs_child(queue: str, settings: Settings) -> int:
    """Run jobs until SIGTERM or SIGINT."""
    if queue == SPEECH_QUEUE:
        os.nice(_SPEECH_NICENESS)
    rename_process("speech" if queue == SPEECH_QUEUE else "jobs")
    run: Callable[..., Awaitable[None]] = run_job_process
    if queue == SPEECH_QUEUE:
        with loading():  # not in every worker's memory: many are never asked for a transcript or another form
            from worker.processes.speech_process import run_speech_process as run
    asyncio.run(_run(open_installation(settings, schema="leave"), run))
    return 0


async def _run(installation: Installation, run: Callable[..., Awaitable[None]]) -> None:
    with stop_signals() as stopping:
        await run(installation.settings, installation.database, open_objects(installation), stopping)
