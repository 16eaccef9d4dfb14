"""What the vault seals is sealed anew after a rotation of the secret key: nothing is forgotten in the list."""

from sqlalchemy import LargeBinary

from store.access.sealed_columns import SEALED_COLUMNS
from store.access.vault import Slot
from store.database.tables import metadata

DIGESTS = {"api_keys.sha256", "idempotency_keys.fingerprint"}


def test_every_slot_of_the_vault_lies_in_a_column_of_the_list() -> None:
    """Nothing can be sealed without a slot, so whoever seals something new comes by here."""
    listed = [slot for sealed in SEALED_COLUMNS for slot in sealed.slots]
    assert sorted(listed) == sorted(Slot)


def test_every_column_of_bytes_is_in_the_list_or_a_digest() -> None:
    """A column of text holds nothing sealed: the vault makes bytes."""
    found = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    listed = {f"{sealed.column.table.name}.{sealed.column.name}" for sealed in SEALED_COLUMNS}
    assert found == listed | DIGESTS
    assert not listed & DIGESTS


def test_slots_of_one_column_are_told_apart_by_the_row() -> None:
    """The column `slot` of the same row."""
    for sealed in SEALED_COLUMNS:
        assert sealed.owner.table is sealed.column.table
        assert len(sealed.slots) == 1 or "slot" in sealed.column.table.c
