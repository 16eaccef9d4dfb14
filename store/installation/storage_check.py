"""Whether recordings can be kept in the configured storage: it is ours, it answers, and it can do what they need."""

import asyncio
from collections.abc import Sequence

import structlog

from sessions.errors import ParleyError
from sessions.settings import StorageLinks
from store.installation.storage_identity import StorageIdentity
from store.objects.errors import StorageError
from store.objects.objects import Objects
from store.objects.probe import Lack, lacking, probe_storage

_RETRY_SECONDS = 5.0
_PROBE_AGAIN_SECONDS = 60.0

_log = structlog.get_logger(__name__)


class StorageCheck:
    """One process's view of its storage; `run` finds out what it can do.

    Args:
        links: who serves recordings; with `api` the storage need not sign.
    """

    def __init__(self, identity: StorageIdentity, objects: Objects, *, links: StorageLinks) -> None:
        self._signs = links == "storage"
        self._identity = identity
        self._objects = objects
        self._lacks: tuple[Lack, ...] = ()

    async def run(self) -> None:
        """Let a new database and its storage know each other, and probe it. Returns when nothing that is needed lacks.

        A storage that is away when we start may come later, and rights may be given.
        """
        said: str | None = None
        while True:
            seconds = _RETRY_SECONDS
            try:
                await self._identity.confirm()
                if self._objects.is_local:  # what a folder can do is our own code
                    return
                self._lacks = await probe_storage(self._objects)
            except ParleyError as error:
                if error.code != said:
                    said = error.code
                    _log.warning("storage.not_confirmed", code=error.code)
            else:
                _log.info("storage.probed", lacks={lack.ability: lack.cause for lack in self._lacks})
                if (trouble := lacking(self._lacks)) is None:
                    return
                _log.error("storage.insufficient", cause=trouble.text)
                seconds = _PROBE_AGAIN_SECONDS
            await asyncio.sleep(seconds)

    async def ready(self) -> None:
        """Return when the storage is ours and, as far as is known, can do what recordings need.

        Raises:
            ParleyError: it is away, it is another one, or it lacks something; the cause says which.
        """
        await self._identity.confirm()
        if (trouble := lacking(self._lacks)) is not None:
            raise StorageError.away(trouble)

    async def troubles(self) -> Sequence[str]:
        """What works less than it could."""
        return tuple(
            f"storage: links to recordings do not work, unless PARLEY_STORAGE_LINKS=api: {lack.cause}"
            for lack in self._lacks
            if lack.ability == "signed_links" and self._signs
        )
