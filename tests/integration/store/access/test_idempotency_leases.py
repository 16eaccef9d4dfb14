"""A key belongs to the process that runs its request for as long as that lives, however slow it is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from sessions.errors import DatabaseUnavailableError, ParleyError
from store.access.idempotency import RENEW_SECONDS, Idempotency, IdempotencyTicket
from tests.integration.store.store_services import StoreServices, store_services
from tests.support.services.postgres_cluster import PostgresCluster

ROUTE = "POST /v1/sessions"
LEASE_SECONDS = 3.0


async def _begin(store: StoreServices, idempotency: Idempotency) -> IdempotencyTicket:
    ticket = await idempotency.begin(store.organization_id, ROUTE, "k", b"f")
    assert isinstance(ticket, IdempotencyTicket)
    return ticket


async def _is_taken(store: StoreServices, idempotency: Idempotency) -> bool:
    """What a repetition hears."""
    try:
        await _begin(store, idempotency)
    except ParleyError as error:
        if error.code != "idempotency.in_progress":
            raise
        return True
    return False


@asynccontextmanager
async def _renewing(idempotency: Idempotency) -> AsyncIterator[None]:
    """What an API process does beside its requests."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            with suppress(DatabaseUnavailableError):
                await idempotency.renew()

    task = asyncio.create_task(renew())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_live_process_that_is_slow_keeps_its_key(database_url: str) -> None:
    """For longer than the lease; once its request is over without having given the key back, it is free."""
    async with store_services(database_url) as store:
        owner, other = (Idempotency(store.db, lease_seconds=LEASE_SECONDS) for _ in range(2))
        async with _renewing(owner):
            ticket = await _begin(store, owner)
            with owner.held(ticket):
                await asyncio.sleep(LEASE_SECONDS + RENEW_SECONDS)
                assert await _is_taken(store, other)
            await asyncio.sleep(LEASE_SECONDS)
            assert not await _is_taken(store, other)


async def test_an_answer_that_is_being_stored_holds_up_no_renewal(database_url: str) -> None:
    """Its row is locked; the leases of other requests are renewed."""
    async with store_services(database_url) as store:
        idempotency = Idempotency(store.db, lease_seconds=LEASE_SECONDS)
        storing = await _begin(store, idempotency)
        other = await idempotency.begin(store.organization_id, ROUTE, "other", b"f")
        assert isinstance(other, IdempotencyTicket)
        before = dict(tuple(row) for row in await store.execute("SELECT key, renewed_at FROM idempotency_keys"))
        with idempotency.held(storing), idempotency.held(other):
            async with store.db.begin() as conn:
                await storing.store(conn, 201, b"answer")
                async with asyncio.timeout(2):
                    await idempotency.renew()
        after = dict(tuple(row) for row in await store.execute("SELECT key, renewed_at FROM idempotency_keys"))
    assert after["k"] == before["k"]
    assert after["other"] > before["other"]


@pytest.mark.parametrize("lives", [True, False])
async def test_an_outage_longer_than_a_lease_frees_the_keys_of_the_dead_only(
    own_postgres: PostgresCluster, lives: bool
) -> None:
    """The database restarts: whoever lives renews, before a repetition that comes at once may take over."""
    async with store_services(own_postgres.url) as store:
        owner, other = (Idempotency(store.db, lease_seconds=LEASE_SECONDS) for _ in range(2))
        ticket = await _begin(store, owner)
        with owner.held(ticket):
            async with _renewing(owner if lives else Idempotency(store.db)):
                await asyncio.to_thread(own_postgres.stop)
                await asyncio.sleep(LEASE_SECONDS + RENEW_SECONDS)
                await asyncio.to_thread(own_postgres.start)
                assert await _is_taken(store, other) is lives
