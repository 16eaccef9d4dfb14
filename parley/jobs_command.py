"""`parley jobs`: the process that runs short jobs, a child of `parley worker`."""

import asyncio

from parley.installation import Installation, open_installation
from parley.logging import configure_logging
from parley.object_storage import open_objects
from parley.settings_loading import load_settings
from parley.stop_signals import stop_signals
from worker.job_process import run_job_process


def run_jobs_child() -> int:
    """Run jobs until SIGTERM or SIGINT."""
    settings = load_settings()
    configure_logging(settings.log_level, process="jobs")
    asyncio.run(_run(open_installation(settings, schema="leave")))
    return 0


async def _run(installation: Installation) -> None:
    with stop_signals() as stopping:
        await run_job_process(
            installation.settings,
            installation.database_url,
            open_objects(installation),
            stopping,
            reconnect=installation.reattach,
        )
