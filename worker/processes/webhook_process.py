"""The process that delivers webhooks. It talks to whoever customers name, so it does nothing else.

It ends when there has been nothing to deliver for long, and its supervisor starts it again when there is.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

from sessions.settings import Settings
from store.access.vault import TokenVault
from store.database.clock import DatabaseClock
from store.database.database_access import DatabaseAccess
from store.database.notify.channels import EVENT_CHANNEL, WEBHOOK_CHANNEL
from store.database.notify.listener_names import WEBHOOKS_LISTENER
from store.events.organization_events import OrganizationEvents
from store.sweeping.demand import Demand
from store.webhooks.delivery_queue import DeliveryQueue
from store.webhooks.endpoint_leases import EndpointLeases
from store.webhooks.signing_secrets import SigningSecrets
from worker.vitals.activity import Activity
from worker.vitals.webhook_figures import WebhookFigures
from worker.webhooks.endpoint_desk import DeskTools
from worker.webhooks.organization_slots import OrganizationSlots
from worker.webhooks.post_office import PostOffice
from worker.webhooks.sender import Sender

_POOL_SIZE = 2
_NAME_LOOKUPS = 128  # threads, made when they are needed: a name server that hangs holds up nobody else's names


async def run_webhook_process(settings: Settings, access: DatabaseAccess, stopping: asyncio.Event) -> None:
    """Deliver webhooks until `stopping` is set, or there has been nothing to do for long."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_NAME_LOOKUPS, "names"))
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(access.open("parley-webhooks", pool_size=_POOL_SIZE))
        listener = await stack.enter_async_context(access.listen(WEBHOOKS_LISTENER, (EVENT_CHANNEL, WEBHOOK_CHANNEL)))
        sender = await stack.enter_async_context(
            Sender.open(settings.webhook_url_rules, seconds=settings.webhook_timeout_seconds)
        )
        tools = DeskTools(
            queue=DeliveryQueue(db, OrganizationEvents(db), failing_days=settings.webhook_failing_days),
            secrets=SigningSecrets(TokenVault(settings.secret_key)),
            sender=sender,
            slots=OrganizationSlots(),
            clock=DatabaseClock(db.clock),
            schedule=settings.webhook_retry_seconds,
            figures=WebhookFigures(),
        )
        activity, demand = Activity(), Demand(db, socket.gethostname(), follows=False)
        office = PostOffice(
            db,
            EndpointLeases(db, lease_seconds=2 * settings.webhook_timeout_seconds),
            tools,
            listener,
            attempt_seconds=settings.webhook_timeout_seconds,
            activity=activity,
        )

        async def is_wanted() -> bool:
            return (await demand.look()).webhooks

        async with asyncio.TaskGroup() as group:
            figures = group.create_task(tools.figures.keep_writing(settings.data_dir), name="figures")
            idle = activity.end_when_idle(stopping, is_wanted, after_seconds=settings.idle_process_seconds)
            group.create_task(idle, name="idleness")
            await office.run(stopping)
            figures.cancel()
