"""Whether the object storage is the one that this installation writes to.

An empty folder in the place of a mount, or another bucket, answers like a storage that has lost everything. So an
object with an id lies in the storage, `identity/{id}`, and the database knows the id. It is written once, by whichever
process asks first; where it is missing, nothing is stored, finalized or erased until the right storage is back or
somebody adopts the new one.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog
from sqlalchemy import false, select, text, true
from sqlalchemy.dialects.postgresql import insert as upsert

from sessions.errors import DatabaseError
from sessions.ids import new_uuid
from store.database.database import Database
from store.database.server.identity import database_identity
from store.database.tables import object_storage
from store.objects.errors import ObjectMissing, StorageError
from store.objects.objects import Objects

Confirm = Callable[[], Awaitable[None]]
"""`StorageIdentity.confirm`: returns when the storage is ours."""

FRESH_SECONDS = 10.0  # how long an id that was read from the database is taken for today's
_READ_SECONDS = 1.0  # for reading it again: a database that is slow says nothing against the storage

_HAS_RECORDINGS = text("SELECT EXISTS (SELECT FROM recordings WHERE committed_at IS NOT NULL)")

_log = structlog.get_logger(__name__)


class StorageUnrecognized(StorageError):  # noqa: N818 it is an answer as much as an error
    """The storage answers and is not this installation's; `storage.unrecognized`."""

    def __init__(self) -> None:
        super().__init__(
            "storage.unrecognized",
            "this object storage is not the one that the installation writes to: mount or name the right one, or run"
            " `parley storage adopt`",
            extra={"retry_after_seconds": 5},
        )


class StorageIdentity:
    """The storage that a process uses, against the one that its database knows."""

    def __init__(self, db: Database, objects: Objects) -> None:
        self._db = db
        self._objects = objects
        self._known: UUID | None = None
        self._known_until = 0.0

    async def confirm(self) -> None:
        """Return when the storage is ours. On a database that knows none yet, this one becomes it.

        Raises:
            StorageUnrecognized: the storage is another one.
            StorageError: the storage is away.
            DatabaseError: the database is away, and this process has not read the id yet.
        """
        await self._objects.ping()
        known = await self._read()
        if known is None:
            known = await self._introduce()
        if not await self._holds(known):
            self._known_until = 0.0  # it may be adopted any moment
            raise StorageUnrecognized
        self._known = known

    async def adopt(self) -> bool:
        """Make the storage this installation's, whatever the database knows; what another one holds stays there.

        Returns:
            False: it was that already.

        Raises:
            StorageError, DatabaseError: nothing has changed.
        """
        known = await self._stored()
        if known is not None and await self._holds(known):
            return False
        self._known_until = 0.0
        await self._write(whatever_is_known=True)
        return True

    async def _read(self) -> UUID | None:
        if time.monotonic() < self._known_until:
            return self._known
        try:
            async with asyncio.timeout(None if self._known is None else _READ_SECONDS):
                self._known = await self._stored()
        except (DatabaseError, TimeoutError):
            if self._known is None:
                raise
            return self._known
        if self._known is not None:
            self._known_until = time.monotonic() + FRESH_SECONDS
        return self._known

    async def _stored(self) -> UUID | None:
        async with self._db.begin() as conn:
            found: UUID | None = (await conn.execute(select(object_storage.c.id))).scalar_one_or_none()
        return found

    async def _holds(self, identity: UUID) -> bool:
        try:
            return await self._objects.get(_key(identity)) == _content(identity)
        except ObjectMissing:
            return False

    async def _introduce(self) -> UUID:
        """Let the database know this storage, unless it has recordings in one that cannot be told from others."""
        if await self._has_recordings() and not await self._has_probe():
            raise StorageUnrecognized
        identity = await self._write(whatever_is_known=False)
        known = await self._stored()
        assert known is not None
        if known != identity:  # another process was faster
            await self._objects.delete(_key(identity))
        else:
            _log.info("storage.introduced", identity=str(identity))
        return known

    async def _write(self, *, whatever_is_known: bool) -> UUID:
        """Leave a new object in the storage, and its id in the database, unless that knows one by then."""
        identity = new_uuid()
        await self._objects.put_create(_key(identity), _content(identity))
        values = {"single": True, "id": identity, "adopted_at": text("statement_timestamp()")}
        statement = upsert(object_storage).values(values)
        async with self._db.begin() as conn:
            await conn.execute(
                statement.on_conflict_do_update(
                    index_elements=["single"], set_=values, where=true() if whatever_is_known else false()
                )
            )
        return identity

    async def _has_recordings(self) -> bool:
        async with self._db.begin() as conn:
            return bool((await conn.execute(_HAS_RECORDINGS)).scalar_one())

    async def _has_probe(self) -> bool:
        """Whether an API of an older release left its object for this database here."""
        try:
            await self._objects.head(f"probes/{await database_identity(self._db)}")
        except ObjectMissing:
            return False
        return True


def _key(identity: UUID) -> str:
    return f"identity/{identity}"


def _content(identity: UUID) -> bytes:
    return f"{identity}\n".encode()
