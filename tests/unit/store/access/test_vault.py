"""The token vault: what it seals opens for the same row only, and with the same keys only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from sessions.ids import new_uuid
from store.access.vault import Slot, TokenUnreadableError, TokenVault

OLD = SecretStr("old secret key of 32 characters, at least")
NEW = SecretStr("new secret key of 32 characters, at least")
TOKEN = SecretStr("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ3In0.c2lnbmF0dXJl")


@given(text=st.text(max_size=300))
def test_what_is_sealed_opens_again(text: str) -> None:
    """Every token comes back as it was."""
    vault, session_id = TokenVault([NEW]), new_uuid()
    sealed = vault.seal(session_id, Slot.CUSTOMER, SecretStr(text))
    assert vault.open(session_id, Slot.CUSTOMER, sealed).get_secret_value() == text


def test_a_sealed_token_does_not_show_the_token() -> None:
    """Neither the text nor a repetition of it can be seen in what is stored."""
    vault, session_id = TokenVault([NEW]), new_uuid()
    first, second = (vault.seal(session_id, Slot.CUSTOMER, TOKEN) for _ in range(2))
    assert TOKEN.get_secret_value().encode() not in first
    assert first != second


def test_another_session_does_not_open_it() -> None:
    """A blob copied into another session's row is useless."""
    vault = TokenVault([NEW])
    blob = vault.seal(new_uuid(), Slot.CUSTOMER, TOKEN)
    with pytest.raises(TokenUnreadableError):
        vault.open(new_uuid(), Slot.CUSTOMER, blob)


def test_another_slot_does_not_open_it() -> None:
    """The customer's token can't be passed off as the refreshed one."""
    vault, session_id = TokenVault([NEW]), new_uuid()
    blob = vault.seal(session_id, Slot.CUSTOMER, TOKEN)
    with pytest.raises(TokenUnreadableError):
        vault.open(session_id, Slot.REFRESHED, blob)


def test_another_key_does_not_open_it() -> None:
    """Without the key that sealed it there is no token, and the error holds nothing of it."""
    session_id = new_uuid()
    blob = TokenVault([OLD]).seal(session_id, Slot.CUSTOMER, TOKEN)
    with pytest.raises(TokenUnreadableError) as caught:
        TokenVault([NEW]).open(session_id, Slot.CUSTOMER, blob)
    assert caught.value.code == "secret_key.dropped"


def test_a_rotated_vault_opens_old_blobs_and_seals_with_the_new_key() -> None:
    """The newest key seals, the older ones still open."""
    session_id, rotated = new_uuid(), TokenVault([NEW, OLD])
    assert rotated.open(session_id, Slot.CUSTOMER, TokenVault([OLD]).seal(session_id, Slot.CUSTOMER, TOKEN)) == TOKEN
    assert TokenVault([NEW]).open(session_id, Slot.CUSTOMER, rotated.seal(session_id, Slot.CUSTOMER, TOKEN)) == TOKEN


@pytest.mark.parametrize("position", [0, 1, 9, 21, -1])
def test_a_damaged_blob_does_not_open(position: int) -> None:
    """One flipped bit anywhere, the header included, is noticed."""
    vault, session_id = TokenVault([NEW]), new_uuid()
    blob = bytearray(vault.seal(session_id, Slot.CUSTOMER, TOKEN))
    blob[position] ^= 1
    with pytest.raises(TokenUnreadableError):
        vault.open(session_id, Slot.CUSTOMER, bytes(blob))


@pytest.mark.parametrize("length", [0, 1, 8, 9, 20, 21, 36])
def test_a_cut_blob_does_not_open(length: int) -> None:
    """A short blob is unreadable, not a crash."""
    vault, session_id = TokenVault([NEW]), new_uuid()
    with pytest.raises(TokenUnreadableError):
        vault.open(session_id, Slot.CUSTOMER, vault.seal(session_id, Slot.CUSTOMER, TOKEN)[:length])


def test_a_vault_needs_a_key() -> None:
    """No key at all is a mistake of whoever wires the program."""
    with pytest.raises(ValueError, match="secret key"):
        TokenVault([])
