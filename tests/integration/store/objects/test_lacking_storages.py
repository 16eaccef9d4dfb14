"""Storages that lack what S3 has: nothing stays that was deleted, nothing waits that could be stored."""

import io
from collections.abc import Callable, Iterator

import pytest

from store.objects.errors import ObjectExists, StorageError
from store.objects.objects import Objects
from tests.support.running.log_lines import logged
from tests.support.services.lacking_storage import LackingStorage, lacking_storage


@pytest.fixture
def storage() -> Iterator[LackingStorage]:
    """One that lacks nothing yet."""
    with lacking_storage() as opened:
        yield opened


@pytest.fixture
def opened(storage: LackingStorage, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Objects]:
    """Opens it as a process does."""
    for name, value in storage.variables.items():
        monkeypatch.setenv(name, value)
    return lambda: Objects.open(storage.url)


@pytest.mark.parametrize("lack", ["bulk_delete", "bulk_delete_405", "bulk_delete_400", "bulk_delete_404"])
async def test_a_storage_without_bulk_deletion_deletes_one_by_one(
    storage: LackingStorage, opened: Callable[[], Objects], lack: str, log: io.StringIO
) -> None:
    """However it says so; a process asks once, and the log says what is missing."""
    objects = opened()
    storage.lacks.add(lack)
    for turn in range(2):
        for number in range(12):
            await objects.put_bytes(f"spool/a/{number}", b"voice")
        await objects.delete_folder("spool/a")
        assert await objects.list("spool") == [], turn
    asked = [path for method, path in storage.requests if method == "POST"]
    assert 1 <= len(asked) <= 4, "a 501 is tried again by the client before it is believed"
    assert storage.requests.count(("DELETE", f"/{storage.bucket}/parley/spool/a/11")) == 2
    await objects.delete("spool/a/11")
    said = [line["ability"] for line in logged(log, "storage.lacks")]
    assert said == (["bulk_delete"] if lack != "bulk_delete_404" else [])


async def test_a_deletion_that_the_storage_refuses_is_no_success(
    storage: LackingStorage, opened: Callable[[], Objects]
) -> None:
    """Neither by its answer, nor where it says yes and keeps the object."""
    objects = opened()
    await objects.put_bytes("spool/a/1", b"voice")
    for lacks, status in ({"bulk_delete", "delete"}, 403), ({"bulk_delete", "deleting"}, None):
        storage.lacks = lacks
        with pytest.raises(StorageError) as caught:
            await objects.delete_folder("spool/a")
        assert (caught.value.code, caught.value.cause and caught.value.cause.status) == ("storage.unavailable", status)
        assert await objects.list("spool") == [("spool/a/1", 5)]
    storage.lacks.clear()
    await objects.delete_folder("spool/a")
    assert await objects.list("spool") == []


@pytest.mark.parametrize("lack", ["create_only", "create_only_400"])
async def test_a_storage_without_create_only_writing_stores_all_the_same(
    storage: LackingStorage, opened: Callable[[], Objects], lack: str, log: io.StringIO
) -> None:
    """The same promise by a look before: the same bytes are fine, others are refused."""
    storage.lacks.add(lack)
    objects = opened()
    await objects.put_create("spool/a/1", b"bytes")
    asked = len(storage.requests)
    await objects.put_create("spool/a/2", b"bytes")
    assert len(storage.requests) == asked + 2, "it is not asked again for what it does not have"
    await objects.put_create("spool/a/1", b"bytes")
    with pytest.raises(ObjectExists):
        await objects.put_create("spool/a/1", b"other")
    assert await objects.get("spool/a/1") == b"bytes"
    assert [line["ability"] for line in logged(log, "storage.lacks")] == ["create_only"]


CAUSES = {
    "rights": "denies",
    "key": "does not know the access key",
    "key_404": "does not know the access key",
    "secret": "secret key is wrong",
    "clock": "clock is wrong",
}


@pytest.mark.parametrize("trouble", CAUSES)
async def test_why_a_storage_fails_is_known_and_said_once(
    storage: LackingStorage, opened: Callable[[], Objects], trouble: str, log: io.StringIO
) -> None:
    """In words of ours: no address, no key, no path."""
    storage.lacks.add(trouble)
    objects = opened()
    for _ in range(3):
        with pytest.raises(StorageError) as caught:
            await objects.ping()
    assert caught.value.cause is not None
    assert CAUSES[trouble] in caught.value.cause.text
    [line] = logged(log, "storage.trouble")
    assert (line["level"], line["cause"]) == ("error", caught.value.cause.text)
    assert line["status"] == (404 if trouble == "key_404" else 403)
    assert not any(word in str(line) for word in ("127.0.0.1", "someone", "something", "parley/", "identity"))


async def test_a_bucket_that_does_not_exist_is_said_to_be_missing(opened: Callable[[], Objects]) -> None:
    """It is no missing object, whatever is asked for."""
    opened()
    objects = Objects.open("s3://another-bucket/parley")
    for call in (objects.ping(), objects.get("a"), objects.list("a"), objects.put_bytes("a", b""), objects.delete("a")):
        with pytest.raises(StorageError) as caught:
            await call
        assert caught.value.cause is not None
        assert caught.value.cause.text == "the bucket (or container) does not exist"


@pytest.mark.parametrize(
    ("variables", "cause"),
    [
        ({"AWS_ALLOW_HTTP": "false"}, "plain http is not allowed"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "nobody listens"),
        ({"AWS_ENDPOINT_URL": "http://nowhere.invalid"}, "does not resolve"),
    ],
)
async def test_why_a_storage_is_not_reached_is_known(
    opened: Callable[[], Objects], monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], cause: str
) -> None:
    """Before any storage answers."""
    opened()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StorageError) as caught:
        await opened().ping()
    assert caught.value.cause is not None
    assert cause in caught.value.cause.text
