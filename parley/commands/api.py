"""`parley api`."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop

from control_api.http.requests.dependencies import ApiDependencies
from control_api.http.serving.bulk_reads import TURNS
from control_api.server import serve
from parley.command_error import cannot_listen
from parley.installation.first_master_key import ensure_master_key
from parley.installation.installation import Installation, open_installation
from parley.installation.logging import configure_logging
from parley.installation.object_storage import open_objects
from parley.installation.open_files import raise_open_files
from parley.installation.settings_loading import load_settings
from parley.installation.stop_signals import stop_signals
from parley.installation.url_file import write_url
from sessions.settings import Settings
from store.access.api_keys import ApiKeys
from store.access.idempotency import Idempotency
from store.access.vault import LinkSigner, TokenVault
from store.database.notify.channels import API_CHANNELS
from store.database.notify.listener_names import API_LISTENER
from store.database.server.schema import check_schema
from store.installation.storage_check import StorageCheck
from store.installation.storage_identity import StorageIdentity
from store.sessions.sessions import Sessions
from store.usage.ledger import Ledger
from store.usage.totals import UsageTotals

_POOL_SIZE = 5  # with the listener and the pool for long answers: eight connections
_OTHER_FILES = 200  # database, storage, log


def run_api(*, url_file: Path | None) -> int:
    """Serve until SIGTERM or SIGINT.

    Raises:
        CommandError: the address can't be listened on.
        ParleyError: the schema is old, or the database is away.
    """
    settings = load_settings()
    dropped = configure_logging(settings.log_level, process="api")
    settings = _within_open_files(settings, raise_open_files())
    installation = open_installation(settings)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(installation, url_file, dropped))
    return 0


def _within_open_files(settings: Settings, files: int) -> Settings:
    """The settings with no more connections than there are files for."""
    most = max(1, files - _OTHER_FILES)
    bounded = min(settings.api_connections, most) if settings.api_connections else most
    return settings.model_copy(update={"api_connections": bounded})


async def _serve(installation: Installation, url_file: Path | None, log_lines_dropped: Callable[[], int]) -> None:
    settings, access = installation.settings, installation.database
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(access.open("parley-api", pool_size=_POOL_SIZE))
        bulk_db = await stack.enter_async_context(access.open("parley-api-bulk", pool_size=TURNS))
        await check_schema(db)
        await ensure_master_key(installation, db)
        objects = open_objects(installation)
        listener = await stack.enter_async_context(access.listen(API_LISTENER, API_CHANNELS))
        dependencies = ApiDependencies(
            settings=settings,
            db=db,
            bulk_db=bulk_db,
            sessions=Sessions.open(db, TokenVault(settings.secret_key)),
            api_keys=ApiKeys(db),
            idempotency=Idempotency(db, lease_seconds=settings.idempotency_lease_seconds),
            ledger=Ledger(db),
            usage_totals=UsageTotals(db),
            objects=objects,
            storage=StorageCheck(StorageIdentity(db, objects), objects, links=settings.storage_links),
            signer=LinkSigner(settings.secret_key),
            listener=listener,
            log_lines_dropped=log_lines_dropped,
        )
        await _serve_and_check(dependencies, url_file)


async def _serve_and_check(dependencies: ApiDependencies, url_file: Path | None) -> None:
    failure: OSError | None = None
    with stop_signals() as stopping:
        async with asyncio.TaskGroup() as group:
            checking = group.create_task(dependencies.storage.run(), name="storage check")
            try:
                await serve(dependencies, stopping=stopping, on_ready=lambda url: write_url(url, url_file))
            except OSError as error:
                failure = error  # raised here, it would leave the task group wrapped in an ExceptionGroup
            finally:
                checking.cancel()
    if failure is not None:
        settings = dependencies.settings
        raise cannot_listen("API", settings.api_host, settings.api_port, failure) from failure
