"""The process that delivers webhooks, a child of `parley worker`, forked from `parley nursery`."""

import asyncio

from parley.installation.installation import Installation, open_installation
from parley.installation.logging import rename_process
from parley.installation.stop_signals import stop_signals
from sessions.settings import Settings
from worker.processes.webhook_process import run_webhook_process


def run_webhooks_child(settings: Settings) -> int:
    """Deliver until SIGTERM or SIGINT."""
    rename_process("webhooks")
    asyncio.run(_run(open_installation(settings, schema="leave")))
    return 0


async def _run(installation: Installation) -> None:
    with stop_signals() as stopping:
        await run_webhook_process(installation.settings, installation.database, stopping)
