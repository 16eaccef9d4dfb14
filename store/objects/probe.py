"""What a storage can do, found by doing what the product does: writing, reading, listing, signing, deleting."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

import obstore
from obstore.store import HTTPStore

from sessions.ids import new_uuid
from store.objects.causes import NOT_REMOVED, Cause
from store.objects.errors import ObjectExists, StorageError, storage_errors
from store.objects.objects import Objects

Ability = Literal[
    "write", "create_only", "multipart", "size", "ranged_read", "list", "signed_links", "bulk_delete", "delete"
]

# Without these we do as well, another way.
DISPENSABLE: frozenset[Ability] = frozenset({"create_only", "bulk_delete", "signed_links"})

_BEFORE, _AFTER = b"0123456789", b"abcdefghij"
_LINK_SECONDS = 60
_FOLLOW_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that a storage cannot do, or does not let us do, and how it said so."""

    ability: Ability
    cause: str


async def probe_storage(objects: Objects) -> tuple[Lack, ...]:
    """Everything that the storage lacks; nothing is left in it where it can delete.

    Raises:
        StorageError: it is away, so this is not known.
    """
    folder = f"probe/{new_uuid()}"
    steps: tuple[tuple[Ability, Callable[[Objects, str], Awaitable[None]]], ...] = (
        ("write", _write),
        ("create_only", _create_only),
        ("multipart", _multipart),
        ("size", _size),
        ("ranged_read", _ranged_read),
        ("list", _list),
        ("signed_links", _signed_links),
        ("delete", _delete),
    )
    lacks: dict[Ability, str] = {}
    try:
        for ability, step in steps:
            try:
                await step(objects, folder)
            except StorageError as error:
                cause = error.cause
                if cause is None or not (cause.is_lack or cause.is_denial or cause == NOT_REMOVED):
                    raise
                lacks[ability] = error.trouble
            except _WrongError as error:
                lacks[ability] = str(error)
    finally:
        if "delete" not in lacks:
            with suppress(StorageError):
                await objects.delete_folder(folder)
    if (refusal := objects.create_only_refusal) is not None:
        lacks["create_only"] = refusal.text
    if (refusal := objects.bulk_delete_refusal) is not None:
        lacks["bulk_delete"] = refusal.text
    return tuple(Lack(ability, cause) for ability, cause in lacks.items())


class _WrongError(Exception):
    """The storage has said yes and done something else."""


async def _write(objects: Objects, folder: str) -> None:
    await objects.put_bytes(f"{folder}/written", _BEFORE)
    if await objects.get(f"{folder}/written") != _BEFORE:
        raise _WrongError("what is read is not what was written")


async def _create_only(objects: Objects, folder: str) -> None:
    await objects.put_create(f"{folder}/created", _BEFORE)
    try:
        await objects.put_create(f"{folder}/created", _AFTER)
    except ObjectExists:
        return
    raise _WrongError("it overwrites an object that was to be a new one")


async def _multipart(objects: Objects, folder: str) -> None:
    with tempfile.NamedTemporaryFile() as file:
        await asyncio.to_thread(Path(file.name).write_bytes, _BEFORE)
        await objects.put_file(f"{folder}/parts", Path(file.name))
    if await objects.get(f"{folder}/parts") != _BEFORE:
        raise _WrongError("what is read is not what was uploaded in parts")


async def _size(objects: Objects, folder: str) -> None:
    if await objects.head(f"{folder}/written") != len(_BEFORE):
        raise _WrongError("it says another size than was written")


async def _ranged_read(objects: Objects, folder: str) -> None:
    if await objects.read_range(f"{folder}/written", 2, 5) != _BEFORE[2:5]:
        raise _WrongError("a range of an object holds other bytes")


async def _list(objects: Objects, folder: str) -> None:
    if (f"{folder}/written", len(_BEFORE)) not in await objects.list(folder):
        raise _WrongError("a new object is not listed")


async def _signed_links(objects: Objects, folder: str) -> None:
    url = await objects.signed_url(f"{folder}/written", _LINK_SECONDS, for_us=True)
    if url is None:
        return
    with storage_errors():
        options = {"allow_http": url.startswith("http://"), "timeout": timedelta(seconds=_FOLLOW_SECONDS)}
        followed = HTTPStore.from_url(url, client_options=options)  # type: ignore[arg-type]
        if bytes(await obstore.get_range_async(followed, "", start=2, end=5)) != _BEFORE[2:5]:
            raise _WrongError("a range behind a signed link holds other bytes")


async def _delete(objects: Objects, folder: str) -> None:
    await objects.delete_folder(folder)


def lacking(lacks: tuple[Lack, ...]) -> Cause | None:
    """Why recordings cannot be kept in a storage that lacks this; None: they can."""
    needed = [f"{lack.ability} ({lack.cause})" for lack in lacks if lack.ability not in DISPENSABLE]
    return Cause(f"the storage lacks what recordings need: {', '.join(needed)}") if needed else None
