"""Recordings and segments in object storage: a local folder, or S3, GCS or Azure by URL (obstore).

Keys are `sessions/{sess_id}/{kind}/{digest}/{name}` (`store.outputs.output_keys`), `sessions/{sess_id}/files/…`,
`spool/{sess_id}/{segment}`, `identity/{id}` (`storage_identity`).
Credentials and the endpoint come from the cloud's own variables (`cloud`).
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import unquote, urlsplit

import obstore
import structlog
from obstore.store import LocalStore

from sessions.audio_formats import MEDIA_TYPES
from store.objects.causes import NO_FOLDER, Cause
from store.objects.cloud import S3_SCHEMES, CloudStore, open_cloud
from store.objects.deletion import Deletion
from store.objects.durable_files import blocks_of, make_folder, remove_folder, write_file
from store.objects.errors import ObjectExists, ObjectMissing, StorageError, storage_errors
from store.objects.trouble_log import TroubleLog

_PART_BYTES = 8 << 20
_MEDIA_TYPES = {".json": "application/json", **{f".{form}": media_type for form, media_type in MEDIA_TYPES.items()}}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """What a storage says of an object.

    Attributes:
        size: in bytes.
        etag: with its quotes; None where there is none.
        modified: in UTC.
    """

    size: int
    etag: str | None
    modified: datetime


class Objects:
    """One object storage. Every method raises `StorageError` when it fails."""

    def __init__(
        self,
        store: LocalStore | CloudStore,
        root: Path | None,
        one_by_one: Callable[[], CloudStore] | None = None,
        signing: CloudStore | None = None,
    ) -> None:
        self._store = store
        self._signing = store if signing is None else signing
        self._root = root
        self._deletion = Deletion(store, one_by_one)
        self._troubles = TroubleLog()
        self._create_only_refusal: Cause | None = None

    @classmethod
    def open(
        cls,
        url: str,
        *,
        connect_seconds: float = 3,
        request_seconds: float = 30,
        public_endpoint: str | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> Self:
        """The storage at `url`: `file:///…` (made when it is missing), `s3://bucket/prefix`, `gs://…`, `az://…`.

        Args:
            request_seconds: bound of one request, not of an object, which may take many; three retries come on top.
            public_endpoint: of an S3, in signed links; None: the one that we use.

        Raises:
            ValueError: the URL is none of these, or there can't be a public endpoint.
            StorageError: the local folder can't be made.
        """
        parts = urlsplit(url)
        if public_endpoint is not None and parts.scheme not in S3_SCHEMES:
            raise ValueError("storage_public_url is for s3:// storages")
        if parts.scheme == "file":
            root = Path(unquote(parts.path))
            with storage_errors():
                make_folder(root)
                return cls(LocalStore(root), root)
        opened = partial(
            open_cloud,
            url,
            connect_seconds=connect_seconds,
            request_seconds=request_seconds,
            environment=environment,
        )
        signing = None if public_endpoint is None else opened(endpoint=public_endpoint)
        return cls(opened(), None, partial(opened, one_by_one=True), signing)

    @property
    def is_local(self) -> bool:
        """Whether it is a folder."""
        return self._root is not None

    def free_bytes(self) -> int | None:
        """What is free on the disk that a local storage is on; None: it is not local, or its folder is gone. Blocks."""
        try:
            return None if self._root is None else shutil.disk_usage(self._root).free
        except OSError:
            return None

    @property
    def create_only_refusal(self) -> Cause | None:
        """How the storage has said that it has no create-only puts; None: it has not."""
        return self._create_only_refusal

    @property
    def bulk_delete_refusal(self) -> Cause | None:
        """How the storage has said that it cannot delete many objects in one request; None: it has not."""
        return self._deletion.bulk_refusal

    async def put_create(self, key: str, data: bytes) -> None:
        """Write a new object. One that is there already with the same bytes is no error.

        Where the storage has no such request, it is looked for first: then of several that write the same key at once
        the last one wins.

        Raises:
            ObjectExists: it is there with other bytes.
        """
        if self._create_only_refusal is not None:
            await self._put_after_a_look(key, data)
            return
        try:
            with storage_errors():
                await self._put(key, data, create_only=True)
        except ObjectExists:
            if await self.get(key) != data:
                raise
        except StorageError as error:
            cause = error.cause
            if cause is None or not cause.is_lack:
                self._troubles.note(error)
                raise
            await self._put_after_a_look(key, data)
            self._create_only_refusal = cause
            _log.warning("storage.lacks", ability="create_only", status=cause.status, answer=cause.code)

    async def put_bytes(self, key: str, data: bytes) -> None:
        """Write an object, in place of the one that may be there."""
        with self._errors():
            await self._put(key, data, create_only=False)

    async def put_file(self, key: str, path: Path, *, disposition: str | None = None) -> None:
        """Write an object from a file of any size, in constant memory, in place of the one that may be there.

        Args:
            disposition: the Content-Disposition that the storage's own links answer with; a folder has none.
        """
        with self._errors():
            if (target := self.local_path(key)) is not None:
                await asyncio.to_thread(write_file, target, blocks_of(path), create_only=False)
                return
            await obstore.put_async(
                self._store,
                key,
                _read(path),
                attributes=_attributes(key, disposition),
                use_multipart=True,
                chunk_size=_PART_BYTES,
                max_concurrency=2,
            )

    async def get(self, key: str) -> bytes:
        """A whole object: for small ones.

        Raises:
            ObjectMissing: there is none.
        """
        with self._errors():
            return bytes(await (await obstore.get_async(self._store, key)).bytes_async())

    async def read_range(self, key: str, start: int, end: int) -> bytes:
        """The bytes [start, end) of an object, fewer at its end. By far the fastest way to read large local ones.

        Raises:
            ObjectMissing: there is none.
        """
        if end <= start:
            return b""
        with self._errors():
            return bytes(await obstore.get_range_async(self._store, key, start=start, end=end))

    async def head(self, key: str) -> int:
        """The size of an object in bytes.

        Raises:
            ObjectMissing: there is none.
        """
        return (await self.facts(key)).size

    async def facts(self, key: str) -> ObjectFacts:
        """Size and version of an object.

        Raises:
            ObjectMissing: there is none.
        """
        with self._errors():
            found = await obstore.head_async(self._store, key)
        return ObjectFacts(int(found["size"]), found["e_tag"], found["last_modified"])

    async def list(self, prefix: str) -> list[tuple[str, int]]:
        """Key and size of every object below the folder `prefix` (whole path segments), ordered by key."""
        with self._errors():
            found = [
                (str(entry["path"]), int(entry["size"]))
                async for entries in obstore.list(self._store, prefix.rstrip("/"))
                for entry in entries
            ]
        return sorted(found)

    async def delete(self, key: str) -> None:
        """Remove an object. One that is gone already is no error."""
        with self._errors():
            await self._deletion.remove([key])

    async def delete_folder(self, prefix: str) -> None:
        """Remove every object below the folder `prefix` (whole path segments), and what crashed writers left there.

        Others may remove some of them at the same time.

        Raises:
            StorageError: some may still be there.
        """
        with self._errors():
            if (folder := self.local_path(prefix)) is not None:
                await asyncio.to_thread(remove_folder, folder)
                return
            await self._deletion.remove_all(partial(self._keys, prefix))

    def local_path(self, key: str) -> Path | None:
        """The file that holds the object, None when it is not a local one.

        Raises:
            ValueError: the key would lead out of the storage.
        """
        if self._root is None:
            return None
        if any(part in ("", ".", "..") for part in key.split("/")) or "\0" in key:
            raise ValueError("not an object key")
        return self._root / key

    async def signed_url(
        self, key: str, expires_seconds: float, *, method: Literal["GET", "HEAD"] = "GET", for_us: bool = False
    ) -> str | None:
        """A link that needs no credentials and serves ranges, None for a local storage (the API signs its own).

        Args:
            for_us: by the endpoint that we use, not by the public one.
        """
        store = self._store if for_us else self._signing
        if isinstance(store, LocalStore):
            return None
        with self._errors():
            return str(await obstore.sign_async(store, method, key, timedelta(seconds=expires_seconds)))

    async def ping(self) -> None:
        """Whether the storage answers."""
        if self._root is not None:
            with self._errors():
                try:
                    await asyncio.to_thread(self._root.stat)
                except FileNotFoundError:
                    raise StorageError.away(NO_FOLDER) from None
            return
        with suppress(ObjectMissing):
            await self.get("identity/ping")  # unlike HEAD's, the answer tells a missing bucket from a missing object

    async def _put(self, key: str, data: bytes, *, create_only: bool) -> None:
        if (path := self.local_path(key)) is not None:
            await asyncio.to_thread(write_file, path, [data], create_only=create_only)
            return
        await obstore.put_async(
            self._store,
            key,
            data,
            attributes=_attributes(key),
            mode="create" if create_only else "overwrite",
            use_multipart=False,
        )

    async def _put_after_a_look(self, key: str, data: bytes) -> None:
        try:
            found = await self.get(key)
        except ObjectMissing:
            await self.put_bytes(key, data)
            return
        if found != data:
            raise ObjectExists

    async def _keys(self, prefix: str) -> Sequence[str]:
        return [key for key, _ in await self.list(prefix)]

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """`storage_errors`, whose causes go into the log."""
        try:
            with storage_errors():
                yield
        except StorageError as error:
            self._troubles.note(error)
            raise


async def _read(path: Path) -> AsyncIterator[bytes]:
    blocks = iter(blocks_of(path))
    while block := await asyncio.to_thread(next, blocks, b""):
        yield block


def _attributes(key: str, disposition: str | None = None) -> Any:
    attributes = {"Content-Type": _MEDIA_TYPES.get(Path(key).suffix), "Content-Disposition": disposition}
    return {name: value for name, value in attributes.items() if value is not None} or None
