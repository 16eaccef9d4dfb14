"""LISTEN: what wakes API and worker processes at once. A lost one costs only time, as every reader polls, too.

Channels with the UUID of a session as payload: `parley_session` (its status moved), `parley_message` (a message waits
for its worker), `parley_delivered` (a message is in the room) and `parley_log` (something was said or written).
`parley_event` has the UUID of an organization whose log has a new event. The payload of `parley_claim` (something is
claimable) and `parley_webhook` (an endpoint, or a delivery that somebody waits for, has changed) is empty.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple, Self
from uuid import UUID

import psycopg
import structlog
from psycopg import sql
from pydantic import SecretStr

from store.database.bounded_connection import BoundedConnection, connect_bounded
from store.database.notify.channels import API_CHANNELS, WEBHOOK_CHANNEL
from store.database.server.connection_terms import ConnectionTerms

RECONNECTED = "reconnected"

_CONNECT_SECONDS = 3
_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 2.0
_PROBE_SECONDS = 15.0  # of silence, before the connection is asked whether it lives
_POOLED_SECONDS = 60.0  # until the next look whether a pooler is still in the way

_OURS = frozenset((*API_CHANNELS, WEBHOOK_CHANNEL))

_log = structlog.get_logger(__name__)


class _PooledError(Exception):
    """A pooler is in between: in transaction mode LISTEN is heard by nobody, and stays on a connection of others."""


class Notification(NamedTuple):
    """One notification. The channel `RECONNECTED`: listening has begun, and what was sent before may be lost.

    Attributes:
        subject: on Parley's own channels the session or organization that it is about; None: whichever.
    """

    channel: str
    payload: str = ""
    subject: UUID | None = None


class Listener:
    """`async with Listener.open(url, channels=…) as listener: async for notification in listener: …`

    It connects as it is iterated over, and again whenever the connection is lost; it doesn't raise for a database that
    is away. One consumer at a time. Every role of a database may notify on every channel, so a payload that Parley
    never sends on a channel of its own is left out.
    """

    def __init__(self, terms: ConnectionTerms, channels: Sequence[str], *, direct: bool) -> None:
        self._terms = terms
        self._channels = channels
        self._direct = direct
        self._generator: AsyncGenerator[Notification, None] | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: SecretStr | str,
        *,
        direct_url: SecretStr | None = None,
        channels: Sequence[str] = API_CHANNELS,
        application_name: str = "parley listener",
    ) -> AsyncIterator[Self]:
        """A listener whose connection is closed at the end of the block.

        Args:
            direct_url: `url` past the pooler, if there is one. Without it a listener behind a pooler hears nothing.
        """
        asked = url if direct_url is None else direct_url
        conninfo = asked.get_secret_value() if isinstance(asked, SecretStr) else asked
        terms = ConnectionTerms.of(conninfo, application_name=application_name)
        listener = cls(terms, channels, direct=direct_url is not None)
        try:
            yield listener
        finally:
            if listener._generator is not None:
                await listener._generator.aclose()

    def __aiter__(self) -> AsyncIterator[Notification]:
        """Every notification from now on, after one `RECONNECTED` each time that listening has begun."""
        self._generator = self._listen()
        return self._generator

    async def _listen(self) -> AsyncGenerator[Notification, None]:
        delay = _FIRST_DELAY_SECONDS
        while True:
            with suppress(psycopg.Error, TimeoutError):
                try:
                    async with asyncio.timeout(_CONNECT_SECONDS + 2):
                        conn = await self._connect()
                except _PooledError:
                    _log.warning("listener.pooled", help="all is polled; PARLEY_DATABASE_DIRECT_URL makes it quick")
                    await asyncio.sleep(_POOLED_SECONDS)
                    continue
                try:
                    delay = _FIRST_DELAY_SECONDS
                    yield Notification(RECONNECTED)
                    async for notification in _notifications(conn):
                        yield notification
                finally:
                    await conn.close()
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY_SECONDS)

    async def _connect(self) -> BoundedConnection:
        conn = await connect_bounded(self._terms, connect_timeout=_CONNECT_SECONDS)
        if conn.pooled and not self._direct:
            await conn.close()
            raise _PooledError
        try:
            for channel in self._channels:
                await conn.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        except BaseException:
            await conn.close()
            raise
        return conn


async def _notifications(conn: BoundedConnection) -> AsyncIterator[Notification]:
    while True:
        async for notify in conn.notifies(timeout=_PROBE_SECONDS):
            if (notification := _understood(notify.channel, notify.payload)) is not None:
                yield notification
        async with asyncio.timeout(_CONNECT_SECONDS):
            cursor = await conn.execute("SHOW transaction_read_only")
            if await cursor.fetchone() != ("off",):  # no writer any more: nobody notifies here
                return


def _understood(channel: str, payload: str) -> Notification | None:
    """None: on one of Parley's channels nobody but a stranger sends that."""
    if channel not in _OURS or not payload:
        return Notification(channel, payload)
    try:
        return Notification(channel, payload, UUID(payload))
    except ValueError:
        return None
