"""LISTEN: what is notified arrives, also after the connection was lost."""

import asyncio

import psycopg

from store.database.notify.notifications import Listener, Notification
from tests.integration.store.store_services import new_session, rendered, store_services


async def test_notifications_arrive_on_the_listened_channels(database_url: str) -> None:
    """In their order, with their payloads, and nothing of other channels."""
    async with (
        Listener.open(database_url) as listener,
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn,
    ):
        notifications = aiter(listener)
        assert await anext(notifications) == Notification("reconnected", "")
        for channel, payload in (
            ("elsewhere", "0"),
            ("parley_session", "1"),
            ("parley_claim", ""),
            ("parley_session", "2"),
        ):
            await conn.execute("SELECT pg_notify(%s, %s)", (channel, payload))
        async with asyncio.timeout(5):
            got = [await anext(notifications) for _ in range(3)]
        assert got == [("parley_session", "1"), ("parley_claim", ""), ("parley_session", "2")]


async def test_a_burst_between_two_reads_is_not_lost(database_url: str) -> None:
    """What arrives while the consumer is busy waits for it."""
    async with (
        Listener.open(database_url) as listener,
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn,
    ):
        notifications = aiter(listener)
        await anext(notifications)
        for number in range(200):
            await conn.execute("SELECT pg_notify('parley_session', %s)", (str(number),))
        async with asyncio.timeout(5):
            assert [(await anext(notifications)).payload for _ in range(200)] == [str(number) for number in range(200)]


async def test_a_terminated_backend_is_replaced(database_url: str) -> None:
    """The listener says that there was a gap and goes on."""
    async with (
        Listener.open(database_url, application_name="the listener under test") as listener,
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn,
    ):
        notifications = aiter(listener)
        await anext(notifications)
        for number in range(3):
            killed = await conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'the listener under test' AND datname = current_database()"
            )
            assert await killed.fetchall() == [(True,)]
            async with asyncio.timeout(10):
                assert await anext(notifications) == Notification("reconnected", "")
            await conn.execute("SELECT pg_notify('parley_session', %s)", (str(number),))
            async with asyncio.timeout(5):
                assert await anext(notifications) == Notification("parley_session", str(number))


async def test_a_command_names_its_session(database_url: str) -> None:
    """The payload is the session's UUID, delivered at commit."""
    async with store_services(database_url) as store, Listener.open(database_url) as listener:
        session = await store.sessions.creation.create(store.organization_id, new_session(), render=rendered)
        notifications = aiter(listener)
        await anext(notifications)
        await store.sessions.commands.end(store.organization_id, session.id)
        async with asyncio.timeout(5):
            while (heard := await anext(notifications)).channel != "parley_session":
                pass
        assert heard == Notification("parley_session", str(session.id))


async def test_a_database_that_is_away_is_waited_for() -> None:
    """Nobody listens there: no error, only patience, and a cancellation ends it."""
    async with Listener.open("postgresql://parley@127.0.0.1:1/nowhere") as listener:
        try:
            async with asyncio.timeout(0.6):
                await anext(aiter(listener))
        except TimeoutError:
            return
    raise AssertionError("it can't have connected")
