"""LISTEN: what is notified arrives, also after the connection was lost."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import psycopg

from store.database.notify.notifications import Listener, Notification
from tests.integration.store.store_services import new_session, rendered, store_services


async def _about(notifications: AsyncIterator[Notification]) -> tuple[str, UUID | None]:
    """Channel and subject of the next one."""
    notification = await anext(notifications)
    return notification.channel, notification.subject


async def test_notifications_arrive_on_the_listened_channels(database_url: str) -> None:
    """In their order, with what they are about; nothing of other channels, and nothing that only a stranger sends."""
    async with (
        Listener.open(database_url) as listener,
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn,
    ):
        notifications = aiter(listener)
        assert await anext(notifications) == Notification("reconnected")
        for channel, payload in (
            ("elsewhere", str(UUID(int=0))),
            ("parley_session", str(UUID(int=1))),
            ("parley_message", "no id of ours"),
            ("parley_claim", ""),
            ("parley_session", str(UUID(int=2))),
        ):
            await conn.execute("SELECT pg_notify(%s, %s)", (channel, payload))
        async with asyncio.timeout(5):
            got = [await _about(notifications) for _ in range(3)]
        assert got == [("parley_session", UUID(int=1)), ("parley_claim", None), ("parley_session", UUID(int=2))]


async def test_a_burst_between_two_reads_is_not_lost(database_url: str) -> None:
    """What arrives while the consumer is busy waits for it."""
    async with (
        Listener.open(database_url) as listener,
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn,
    ):
        notifications = aiter(listener)
        await anext(notifications)
        for number in range(200):
            await conn.execute("SELECT pg_notify('parley_session', %s)", (str(UUID(int=number)),))
        async with asyncio.timeout(5):
            heard = [(await anext(notifications)).subject for _ in range(200)]
        assert heard == [UUID(int=number) for number in range(200)]


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
                assert await anext(notifications) == Notification("reconnected")
            await conn.execute("SELECT pg_notify('parley_session', %s)", (str(UUID(int=number)),))
            async with asyncio.timeout(5):
                assert await _about(notifications) == ("parley_session", UUID(int=number))


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
        assert heard.subject == session.id


async def test_a_database_that_is_away_is_waited_for() -> None:
    """Nobody listens there: no error, only patience, and a cancellation ends it."""
    async with Listener.open("postgresql://parley@127.0.0.1:1/nowhere") as listener:
        try:
            async with asyncio.timeout(0.6):
                await anext(aiter(listener))
        except TimeoutError:
            return
    raise AssertionError("it can't have connected")
