"""Removes the objects of a session that nobody needs any more.

These are segments that were made into everything that is made of them, what was made twice or was made anew, and what
somebody has written who did not know that the session was erased. Whoever settles an output looks, and so does who has
nothing to do: a process that was killed after it had written leaves the look to the one that runs its job again.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import structlog

from sessions.ids import format_id
from store.database.database import Database
from store.objects.objects import Objects
from store.outputs.needed_objects import NeededObjectsReader
from store.outputs.output_keys import segment_folder, session_folder

_log = structlog.get_logger(__name__)


class Leftovers:
    """Of any session; may be asked by several at once, and at any time."""

    def __init__(self, db: Database, objects: Objects) -> None:
        self._needed = NeededObjectsReader(db)
        self._objects = objects

    @asynccontextmanager
    async def afterwards(self, session_id: UUID) -> AsyncIterator[None]:
        """`remove` after a block that writes objects; when the block fails, somebody else looks later.

        Raises:
            StorageError, DatabaseError: see `remove`.
        """
        try:
            yield
        except Exception:
            await self._needed.mark_again(session_id)
            raise
        await self.remove(session_id)

    async def remove(self, session_id: UUID) -> None:
        """Remove what is not needed now.

        What is listed first and needed then is kept: an output is stored before it is noted.

        Raises:
            StorageError, DatabaseError: some may still be there; it is looked for again.
        """
        mark = await self._needed.mark(session_id)
        listed = [key for key, _ in await self._objects.list(session_folder(session_id))]
        needed = await self._needed.of(session_id)
        if needed is None:
            await self._objects.delete_folder(session_folder(session_id))
        else:
            for key in listed:
                if not needed.has(key):
                    _log.info("leftover.removed", session_id=format_id("sess", session_id), storage_key=key)
                    await self._objects.delete(key)
        if needed is None or not needed.segments:
            await self._objects.delete_folder(segment_folder(session_id))
        await self._needed.looked(session_id, mark)
