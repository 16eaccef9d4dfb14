"""The process that delivers webhooks, a child of `parley worker`, forked from `parley nursery`."""

import asyncio

from parley.installation.installation import Installation, open_installation
from parley.installation.logging import configure_logging
from parley.installation.settings_loading import load_settings
from parley.installation.stop_signals import stop_signals
from worker.processes.webhook_process import run_webhook_process


def run_webhooks_child() -> int:
    """Deliver until SIGTERM or SIGINT."""
    settings = load_settings()
    configure_logging(settings.log_level, process="webhooks")
    asyncio.run(_run(open_installation(settings, schema="leave")))
    return 0


async def _run(installation: Installation) -> None:
    with stop_signals() as stopping:
        await run_webhook_process(
            installation.settings, installation.database_url, stopping, reconnect=installation.reattach
        )
