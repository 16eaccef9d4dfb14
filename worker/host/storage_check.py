"""Checks that this worker reads the API's object storage: two hosts that have a local folder each do not share one."""

from sessions.errors import ParleyError
from store.database.database import Database
from store.database.identity import database_identity
from store.objects.objects import Objects


class StorageCheck:
    """Looks for the object that the API leaves for this database."""

    def __init__(self, db: Database, objects: Objects) -> None:
        self._db = db
        self._objects = objects
        self._identity: str | None = None

    async def __call__(self) -> None:
        """Return when the probe is there.

        Raises:
            StorageError: the storage is away.
            ParleyError: `storage.unavailable`; the storage does not hold the API's object.
            DatabaseUnavailableError: the database is away, which names the object to look for.
        """
        if self._identity is None:
            self._identity = await database_identity(self._db)
        if not await self._objects.sees_probe(self._identity):
            raise ParleyError(
                "storage.unavailable",
                "the API's probe object is not in this object storage: no API has started yet, or PARLEY_STORAGE_URL"
                " leads API and worker to different places",
            )
