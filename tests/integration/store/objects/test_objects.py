"""Object storage: the same promises on a local folder and on S3 (moto on loopback)."""

import asyncio
import errno
import os
import stat
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import obstore
import pytest

from store.objects import objects as module
from store.objects.durable_files import remove_folder, write_file
from store.objects.errors import ObjectExists, ObjectMissing, StorageError, storage_errors
from store.objects.objects import Objects


async def test_an_object_comes_back_as_it_was_written(objects: Objects) -> None:
    """Whole, in ranges, and overwritten."""
    await objects.put_bytes("sessions/a/recording.json", b"0123456789")
    assert await objects.get("sessions/a/recording.json") == b"0123456789"
    assert await objects.head("sessions/a/recording.json") == 10
    assert await objects.read_range("sessions/a/recording.json", 2, 5) == b"234"
    assert await objects.read_range("sessions/a/recording.json", 8, 50) == b"89"
    assert await objects.read_range("sessions/a/recording.json", 5, 5) == b""
    await objects.put_bytes("sessions/a/recording.json", b"new")
    assert await objects.get("sessions/a/recording.json") == b"new"


async def test_a_segment_is_created_once(objects: Objects) -> None:
    """Again with the same bytes: fine, an answer was lost. With others: refused, and nothing changes."""
    await objects.put_create("spool/a/1", b"bytes")
    await objects.put_create("spool/a/1", b"bytes")
    with pytest.raises(ObjectExists):
        await objects.put_create("spool/a/1", b"other")
    assert await objects.get("spool/a/1") == b"bytes"


async def test_a_large_file_is_uploaded_in_parts(objects: Objects, tmp_path: Path) -> None:
    """20 MB and an odd byte, byte for byte, over what was there."""
    source = tmp_path / "source.wav"
    source.write_bytes(os.urandom((20 << 20) + 1))
    await objects.put_bytes("sessions/a/conversation.wav", b"before")
    await objects.put_file("sessions/a/conversation.wav", source)
    assert await objects.head("sessions/a/conversation.wav") == (20 << 20) + 1
    assert await objects.get("sessions/a/conversation.wav") == source.read_bytes()


async def test_a_failed_upload_leaves_no_object(
    objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file can't be read to its end: what was there before stays, nothing is half written."""

    def failing(path: Path) -> Iterator[bytes]:
        yield path.read_bytes()
        raise OSError(5, "the source's disk is broken")

    monkeypatch.setattr(module, "blocks_of", failing)
    source = tmp_path / "source.wav"
    source.write_bytes(os.urandom(18 << 20))
    with pytest.raises(StorageError):
        await objects.put_file("sessions/a/conversation.wav", source)
    assert await objects.list("sessions") == []


async def test_a_missing_object_is_said_to_be_missing(objects: Objects) -> None:
    """By every way of reading; deleting it is a success."""
    for call in (objects.get("no/such"), objects.head("no/such"), objects.read_range("no/such", 0, 1)):
        with pytest.raises(ObjectMissing):
            await call
    await objects.delete("no/such")


async def test_a_folder_lists_its_objects(objects: Objects) -> None:
    """Whole path segments, ordered, with sizes; an empty one is an empty list."""
    for key in ("spool/b/2", "spool/a/2", "spool/a/1", "spool/ab/1"):
        await objects.put_bytes(key, key.encode())
    assert await objects.list("spool/a") == [("spool/a/1", 9), ("spool/a/2", 9)]
    assert await objects.list("spool/a/") == await objects.list("spool/a")
    assert len(await objects.list("spool")) == 4
    assert await objects.list("nothing") == []
    await objects.delete("spool/a/1")
    assert await objects.list("spool/a") == [("spool/a/2", 9)]


async def test_a_signed_link_of_s3_serves_ranges_without_credentials(s3: Objects) -> None:
    """206 with the right bytes and the media type; a changed one is not ours to promise."""
    await s3.put_bytes("sessions/a/conversation.wav", b"0123456789")
    url = await s3.signed_url("sessions/a/conversation.wav", 60)
    assert url is not None
    assert await asyncio.to_thread(_fetch, url, "bytes=2-4") == (206, "audio/wav", b"234")
    assert s3.local_path("sessions/a/conversation.wav") is None


async def test_a_signed_link_of_s3_says_what_the_file_is_called(s3: Objects, tmp_path: Path) -> None:
    """As it was said when it was stored, also where it is uploaded in parts."""
    source = tmp_path / "source"
    source.write_bytes(bytes(9 << 20))
    called = "inline; filename=\"_.opus\"; filename*=UTF-8''%C3%84.opus"
    await s3.put_file("sessions/a/files/1.opus", source, disposition=called)
    url = await s3.signed_url("sessions/a/files/1.opus", 60)
    assert url is not None

    def headers() -> tuple[str | None, str | None]:
        with urllib.request.urlopen(url) as answer:
            return answer.headers["Content-Disposition"], answer.headers["Content-Type"]

    assert await asyncio.to_thread(headers) == (called, "audio/ogg")


def _fetch(url: str, byte_range: str) -> tuple[int, str | None, bytes]:
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Range": byte_range})) as answer:
        return answer.status, answer.headers["Content-Type"], answer.read()


async def test_local_objects_are_files_that_only_we_can_read(local: Objects) -> None:
    """Folders 0700, files 0600, no part files left, and no link of their own."""
    await local.put_bytes("sessions/a/conversation.wav", b"voice")
    path = local.local_path("sessions/a/conversation.wav")
    assert path is not None
    assert path.read_bytes() == b"voice"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in list(path.parents)[:4]} == {0o700}
    assert os.listdir(path.parent) == ["conversation.wav"]
    assert await local.signed_url("sessions/a/conversation.wav", 60) is None


@pytest.mark.parametrize("key", ["../x", "a/../../x", "/etc/passwd", "a//b", "", ".", "a/\0"])
async def test_no_key_leads_out_of_the_local_folder(local: Objects, key: str) -> None:
    """Reading and writing alike."""
    with pytest.raises(ValueError, match="object key"):
        local.local_path(key)
    with pytest.raises(ValueError, match="object key"):
        await local.put_bytes(key, b"")


def test_a_file_is_on_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync of the content, then the name, then fsync of the folder: a power cut leaves the whole file or none."""
    steps: list[str] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        steps.append("sync folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "sync file")
        real_fsync(descriptor)

    def replace(source: Path, target: Path) -> None:
        steps.append("name")
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    write_file(tmp_path / "file", [b"x"], create_only=False)
    assert steps == ["sync file", "name", "sync folder"]


def test_a_full_disk_is_storage_full() -> None:
    """A real full device, as written by us; and obstore's own words for it."""
    if not Path("/dev/full").exists():
        pytest.skip("NO /dev/full: a full disk can't be tested here")
    with pytest.raises(StorageError) as caught, storage_errors(), open("/dev/full", "wb", buffering=0) as full:
        full.write(b"x")
    assert caught.value.code == "storage.full"
    from obstore.exceptions import GenericError

    with pytest.raises(StorageError) as caught, storage_errors():
        raise GenericError("Generic LocalFileSystem error: /secret/path: No space left on device (os error 28)")
    assert (caught.value.code, "secret" in caught.value.message) == ("storage.full", False)


async def test_a_storage_that_is_away_is_said_to_be_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within seconds, and without its address in the message."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "something")
    away = Objects.open("s3://bucket/prefix", request_seconds=2)
    with pytest.raises(StorageError) as caught:
        await away.ping()
    assert (caught.value.code, "127.0.0.1" in str(caught.value)) == ("storage.unavailable", False)


@pytest.mark.parametrize("url", ["", "objects", "http://x/y", "s3://bucket/x?endpoint=y", "memory:///"])
def test_a_storage_url_of_another_kind_is_refused(url: str) -> None:
    """With a text that lists the kinds."""
    with pytest.raises(ValueError, match="storage_url"):
        Objects.open(url)


async def test_a_folder_is_deleted_and_its_neighbors_stay(objects: Objects) -> None:
    """Whole path segments count; a folder that isn't there is a success."""
    for key in ("spool/a/1", "spool/a/b/2", "spool/ab/3"):
        await objects.put_bytes(key, b"x")
    for _ in range(2):
        await objects.delete_folder("spool/a")
    assert await objects.list("spool") == [("spool/ab/3", 1)]


async def test_a_folder_is_deleted_while_another_deletes_its_objects(objects: Objects) -> None:
    """Nothing is left, not even an empty folder: a finalizer may be at it when a session is erased."""
    for turn in range(1 if objects.local_path("spool") is None else 10):
        keys = [f"spool/{turn}/{epoch}/{number:03d}" for epoch in range(2) for number in range(20)]
        await asyncio.gather(*(objects.put_bytes(key, b"x") for key in keys))
        deletions = [objects.delete(key) for key in reversed(keys)]
        await asyncio.gather(objects.delete_folder(f"spool/{turn}"), *deletions, objects.delete_folder(f"spool/{turn}"))
        assert await objects.list(f"spool/{turn}") == []
        folder = objects.local_path(f"spool/{turn}")
        assert folder is None or not folder.exists()


async def test_a_storage_that_misses_an_object_of_a_folder_deletes_the_others(
    s3: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GCS and Azure answer 404 to a deletion of what is gone; the list was made before."""
    for key in ("spool/a/1", "spool/a/2", "spool/a/3"):
        await s3.put_bytes(key, b"x")
    delete = obstore.delete_async

    async def gone_meanwhile(store: Any, keys: str | list[str]) -> None:
        if isinstance(keys, list):
            await delete(store, keys[0])
            raise FileNotFoundError("404")  # obstore's answer to a missing object (measured)
        await delete(store, keys)

    monkeypatch.setattr(obstore, "delete_async", gone_meanwhile)
    await s3.delete_folder("spool/a")
    assert await s3.list("spool/a") == []


def test_what_can_be_removed_of_a_folder_is_and_the_error_is_of_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file that the file system holds on to keeps no other."""
    folder = tmp_path / "folder"
    for name in ("a", "b", "c"):
        write_file(folder / name / "voice", [b"x"], create_only=True)
    unlink = os.unlink

    def refuse_b(path: str, *, dir_fd: int) -> None:
        if os.path.samestat(os.fstat(dir_fd), (folder / "b").stat()):
            raise PermissionError(errno.EPERM, "held")
        unlink(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", refuse_b)
    with pytest.raises(PermissionError, match="held"):
        remove_folder(folder)
    assert [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*"))] == ["b", "b/voice"]
