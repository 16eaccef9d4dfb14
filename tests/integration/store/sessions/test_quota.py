"""Quotas are exact: a count waits for whatever it could miss."""

import asyncio

import pytest

from sessions.errors import DatabaseBusyError, ParleyError
from store.sessions import quota
from store.sessions.quota import Load, SessionLimits
from tests.integration.store.sessions.test_session_creation import until_waiting_for_a_lock
from tests.integration.store.store_services import StoreServices, new_session, rendered, store_services


async def _create(store: StoreServices, limits: SessionLimits) -> list[Load]:
    counted: list[Load] = []
    await store.sessions.creation.create(
        store.organization_id, new_session(), limits=limits, counted=counted.append, render=rendered
    )
    return counted


async def test_the_last_place_goes_to_whoever_counted_first(database_url: str) -> None:
    """The other one waits, counts again, and is told how many there are."""
    one = SessionLimits(concurrent=1, queued=0)
    async with store_services(database_url) as store, asyncio.TaskGroup() as group:
        async with store.db.begin() as conn:
            creation = store.sessions.creation
            await creation._write(conn, store.organization_id, new_session(), None, rendered, one, print)
            second = group.create_task(_code(store, one))
            await until_waiting_for_a_lock(database_url)
            assert not second.done()
        assert await second == ("quota.sessions", {"limit": 1, "used": 1, "retry_after_seconds": 5})


async def test_who_is_near_waits_for_those_who_were_far(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who are far from a limit don't wait for each other, so their counts may miss each other."""
    monkeypatch.setattr(quota, "CREATIONS_AT_ONCE", 2)
    far, near = SessionLimits(concurrent=0, queued=3), SessionLimits(concurrent=0, queued=1)
    async with store_services(database_url) as store, asyncio.TaskGroup() as group:
        async with store.db.begin() as conn:
            creation = store.sessions.creation
            await creation._write(conn, store.organization_id, new_session(), None, rendered, far, print)
            assert [load.queued for load in await _create(store, far)] == [1]
            second = group.create_task(_code(store, near))
            await until_waiting_for_a_lock(database_url)
            assert not second.done()
        assert (await second)[0] == "quota.sessions"


async def test_who_came_near_while_counting_asks_again(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds the lock together with others, and must not wait for them to hold it alone."""
    limits, counts = SessionLimits(concurrent=0, queued=3), iter([Load(1, 1), Load(2, 2)])
    monkeypatch.setattr(quota, "CREATIONS_AT_ONCE", 2)

    async def count(*_: object) -> Load:
        return next(counts)

    monkeypatch.setattr(quota, "count_sessions", count)
    async with store_services(database_url) as store:
        with pytest.raises(DatabaseBusyError):
            await _create(store, limits)


async def _code(store: StoreServices, limits: SessionLimits) -> tuple[str, object]:
    try:
        await _create(store, limits)
    except ParleyError as error:
        return error.code, error.extra
    return "created", None
