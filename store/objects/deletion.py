"""Removes objects: many in one request where the storage can, else one by one; and looks whether they are gone."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import obstore
import structlog
from obstore.store import LocalStore

from store.objects.causes import NOT_REMOVED, Cause
from store.objects.cloud import CloudStore
from store.objects.errors import ObjectMissing, StorageError, storage_errors

_ROUNDS = 3  # somebody may write while we remove

_log = structlog.get_logger(__name__)


class Deletion:
    """The deleting of one storage.

    Args:
        one_by_one: opens the same storage without S3's DeleteObjects, which Alibaba's OSS and Google's S3 face lack;
            None: there is no other way.

    Attributes:
        bulk_refusal: how the storage said that it has no DeleteObjects; None: it has not.
    """

    def __init__(self, store: LocalStore | CloudStore, one_by_one: Callable[[], CloudStore] | None) -> None:
        self._store = store
        self._one_by_one = one_by_one
        self.bulk_refusal: Cause | None = None

    async def remove(self, keys: Sequence[str]) -> None:
        """Remove objects. Those that are gone already are no error.

        Raises:
            StorageError: some may still be there.
        """
        refusal: Cause | None = None
        try:
            with storage_errors():
                await obstore.delete_async(self._store, list(keys))
            return
        except ObjectMissing:  # of one of them, which not every storage takes for a success; or of the whole request
            pass
        except StorageError as error:
            if self._one_by_one is None or not error.is_lack:
                raise
            refusal = error.cause
        store = self._store if self._one_by_one is None else self._one_by_one()
        await _remove_each(store, keys)
        self._store, self._one_by_one = store, None
        if refusal is not None:
            self.bulk_refusal = refusal
            _log.warning("storage.lacks", ability="bulk_delete", status=refusal.status, answer=refusal.code)

    async def remove_all(self, keys_now: Callable[[], Awaitable[Sequence[str]]]) -> None:
        """Remove what `keys_now` lists, until it lists nothing any more.

        Raises:
            StorageError: some are still there.
        """
        for _ in range(_ROUNDS):
            if not (keys := await keys_now()):
                return
            await self.remove(keys)
        if await keys_now():
            raise StorageError.away(NOT_REMOVED)


async def _remove_each(store: LocalStore | CloudStore, keys: Sequence[str]) -> None:
    with suppress(ObjectMissing), storage_errors():
        await obstore.delete_async(store, list(keys))  # several at a time
        return
    for key in keys:
        with suppress(ObjectMissing), storage_errors():
            await obstore.delete_async(store, key)
