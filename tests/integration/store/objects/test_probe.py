"""What a storage can do is found by doing it."""

from pathlib import Path

import pytest

from store.objects.errors import StorageError
from store.objects.objects import Objects
from store.objects.probe import lacking, probe_storage
from tests.support.services.lacking_storage import lacking_storage


@pytest.mark.parametrize(
    ("lacks", "found", "enough"),
    [
        (set(), set(), True),
        ({"create_only"}, {"create_only"}, True),
        ({"create_only_ignored"}, {"create_only"}, True),
        ({"bulk_delete_400"}, {"bulk_delete"}, True),
        ({"create_only", "bulk_delete_405"}, {"create_only", "bulk_delete"}, True),
        ({"multipart"}, {"multipart"}, False),
        ({"ranged_read"}, {"ranged_read", "signed_links"}, False),
        ({"list"}, {"list", "delete"}, False),
        ({"bulk_delete_405", "delete"}, {"delete"}, False),
        ({"bulk_delete_405", "deleting"}, {"delete", "bulk_delete"}, False),
    ],
)
async def test_a_probe_names_what_a_storage_lacks(
    monkeypatch: pytest.MonkeyPatch, lacks: set[str], found: set[str], enough: bool
) -> None:
    """And whether recordings can be kept there; nothing is left where anything can be deleted."""
    with lacking_storage() as storage:
        for name, value in storage.variables.items():
            monkeypatch.setenv(name, value)
        storage.lacks = set(lacks)
        objects = Objects.open(storage.url)
        said = await probe_storage(objects)
        assert {lack.ability for lack in said} == found
        trouble = lacking(said)
        assert (trouble is None) == enough
        assert trouble is None or all(name in trouble.text for name in found - {"signed_links", "bulk_delete"})
        if "delete" not in found:
            assert await Objects.open(storage.url).list("") == []


async def test_a_storage_that_is_away_is_not_said_to_lack_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked again when it is back."""
    with lacking_storage() as storage:
        for name, value in storage.variables.items():
            monkeypatch.setenv(name, value)
        objects = Objects.open(storage.url)
    with pytest.raises(StorageError):
        await probe_storage(objects)


async def test_a_folder_lacks_nothing(local: Objects, tmp_path: Path) -> None:
    """The probe asks of a folder what it asks of S3."""
    assert await probe_storage(local) == ()
