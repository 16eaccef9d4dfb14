"""Signed links: good for one path, until one instant, under our keys."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from store.access.vault import LinkSigner

OLD = SecretStr("old secret key of 32 characters, at least")
NEW = SecretStr("new secret key of 32 characters, at least")
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
EXPIRES_AT = NOW + timedelta(hours=1)
EXPIRES = int(EXPIRES_AT.timestamp())
PATH = "/v1/files/sess_1/conversation.wav"


def test_a_link_is_good_until_it_expires() -> None:
    """It holds through its last second and not after."""
    signer = LinkSigner([NEW])
    signature = signer.sign(PATH, EXPIRES_AT)
    assert signer.verify(PATH, EXPIRES, signature, NOW)
    assert signer.verify(PATH, EXPIRES, signature, EXPIRES_AT)
    assert not signer.verify(PATH, EXPIRES, signature, EXPIRES_AT + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("path", "expires"), [(PATH + "x", EXPIRES), ("/v1/files/sess_2/conversation.wav", EXPIRES), (PATH, EXPIRES + 1)]
)
def test_a_changed_link_is_refused(path: str, expires: int) -> None:
    """Neither the path nor the expiry can be changed."""
    signer = LinkSigner([NEW])
    assert not signer.verify(path, expires, signer.sign(PATH, EXPIRES_AT), NOW)


@pytest.mark.parametrize("signature", ["", "x", "ä" * 43, "A" * 43, "\ud800"])
def test_a_made_up_signature_is_refused(signature: str) -> None:
    """Whatever stands in its place, the answer is no, never an error."""
    assert not LinkSigner([NEW]).verify(PATH, EXPIRES, signature, NOW)


def test_links_survive_a_rotation_of_the_key() -> None:
    """An older key still verifies; a dropped one doesn't."""
    signature = LinkSigner([OLD]).sign(PATH, EXPIRES_AT)
    assert LinkSigner([NEW, OLD]).verify(PATH, EXPIRES, signature, NOW)
    assert not LinkSigner([NEW]).verify(PATH, EXPIRES, signature, NOW)
