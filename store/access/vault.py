"""Secrets derived from the secret key: worker tokens and room keys sealed at rest, and links that the API signs itself.

Every secret text yields several 256-bit keys by HKDF-SHA256 (RFC 5869) with a label each. The first text seals and
signs; all of them open and verify, so a rotation is: put the new text in front, seal anew what is stored
(`store/access/secret_rotation.py`), and drop the old one.

A sealed text is `0x01 | key id (8 bytes) | nonce (12) | AES-256-GCM ciphertext and tag` (NIST SP 800-38D), with its
owner and its slot as associated data: a blob copied into another row doesn't open.
"""

import base64
import hmac
import os
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from sessions.errors import ParleyError


class Slot(StrEnum):
    """What is sealed: `store/access/sealed_columns.py` says for each where it lies."""

    CUSTOMER = "customer"  # the customer's worker token
    REFRESHED = "refreshed"  # the one that LiveKit's server made of it
    SHARED_KEY = "shared_key"  # of a room's end-to-end encryption
    ANSWER = "answer"  # to a request with an Idempotency-Key
    WEBHOOK = "webhook"  # the secret that signs an endpoint's requests
    OLD_WEBHOOK = "webhook_old"  # the one that was rotated


SEALED_MARK = b"\x01"  # how everything sealed begins, and no text
_KEY_ID_LABEL = b"parley/token-vault/key-id"
_KEY_ID_BYTES = 8
_NONCE_BYTES = 12
_HEADER_BYTES = len(SEALED_MARK) + _KEY_ID_BYTES + _NONCE_BYTES


class TokenUnreadableError(ParleyError):
    """A sealed text that no secret key opens: it was sealed with a key that is gone, or is not this row's."""

    def __init__(self) -> None:
        super().__init__("secret_key.dropped", "what is stored sealed cannot be opened with the present secret keys")


class TokenVault:
    """Seals and opens what is stored for one owner and slot.

    Args:
        secret_keys: one or more texts, newest first.

    Raises:
        ValueError: there is no secret key.
    """

    def __init__(self, secret_keys: Sequence[SecretStr]) -> None:
        ciphers = [
            (
                _derive(secret, _KEY_ID_LABEL, _KEY_ID_BYTES),
                AESGCM(_derive(secret, b"parley/token-vault")),
            )
            for secret in _required(secret_keys)
        ]
        self._sealing_key_id, self._sealing = ciphers[0]
        self._ciphers = dict(ciphers)

    @property
    def newest_mark(self) -> bytes:
        """The first bytes of everything that is sealed with the newest secret key."""
        return SEALED_MARK + self._sealing_key_id

    @property
    def older_marks(self) -> frozenset[bytes]:
        """The first bytes of what older secret keys have sealed, for each one that this vault has."""
        return frozenset(SEALED_MARK + key_id for key_id in self._ciphers) - {self.newest_mark}

    def seal(self, owner_id: UUID, slot: Slot, secret: SecretStr) -> bytes:
        """The secret, encrypted for this owner (a session, an organization, an endpoint) and slot only."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._sealing.encrypt(nonce, secret.get_secret_value().encode(), _associated(owner_id, slot))
        return SEALED_MARK + self._sealing_key_id + nonce + sealed

    def open(self, owner_id: UUID, slot: Slot, blob: bytes) -> SecretStr:
        """The secret in `blob`.

        Raises:
            TokenUnreadableError: wrong owner, slot or keys, or damaged.
        """
        blob = bytes(blob)
        cipher = self._ciphers.get(blob[1 : 1 + _KEY_ID_BYTES])
        if cipher is None or blob[:1] != SEALED_MARK or len(blob) < _HEADER_BYTES:
            raise TokenUnreadableError
        nonce = blob[1 + _KEY_ID_BYTES : _HEADER_BYTES]
        try:
            return SecretStr(cipher.decrypt(nonce, blob[_HEADER_BYTES:], _associated(owner_id, slot)).decode())
        except InvalidTag:
            raise TokenUnreadableError from None


class AnswerVault:
    """Seals answers that hold a secret, for the day that an idempotency key keeps them.

    Args:
        secret_keys: one or more texts, newest first.

    Raises:
        ValueError: there is no secret key.
    """

    def __init__(self, secret_keys: Sequence[SecretStr]) -> None:
        self._vault = TokenVault(secret_keys)

    def seal(self, organization_id: UUID, answer: bytes) -> bytes:
        """The answer, encrypted for this organization only."""
        return self._vault.seal(organization_id, Slot.ANSWER, SecretStr(answer.decode()))

    def open(self, organization_id: UUID, blob: bytes) -> bytes:
        """The answer in `blob`.

        Raises:
            TokenUnreadableError: wrong organization or keys, or damaged.
        """
        return self._vault.open(organization_id, Slot.ANSWER, blob).get_secret_value().encode()


class LinkSigner:
    """Signs paths of our own API so that they work without a key until they expire (HMAC-SHA256).

    Args:
        secret_keys: one or more texts, newest first.

    Raises:
        ValueError: there is no secret key.
    """

    def __init__(self, secret_keys: Sequence[SecretStr]) -> None:
        self._keys = [_derive(secret, b"parley/link-signer") for secret in _required(secret_keys)]

    def sign(self, path: str, expires_at: datetime) -> str:
        """The signature of `path` until `expires_at` (whole seconds count), 43 URL-safe characters."""
        return _signature(self._keys[0], path, int(expires_at.timestamp()))

    def verify(self, path: str, expires: int, signature: str, now: datetime) -> bool:
        """Whether `signature` is one of ours for `path` and `expires` (Unix seconds), and `now` is not past it."""
        presented = signature.encode(errors="replace")
        genuine = [
            hmac.compare_digest(_signature(key, path, expires).encode(), presented) for key in self._keys
        ]  # a list, not a generator: every key takes the same time
        return any(genuine) and now.timestamp() <= expires


def _required(secret_keys: Sequence[SecretStr]) -> Sequence[SecretStr]:
    if not secret_keys:
        raise ValueError("at least one secret key is needed")
    return secret_keys


def _derive(secret: SecretStr, label: bytes, length: int = 32) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=label).derive(secret.get_secret_value().encode())


def _associated(owner_id: UUID, slot: Slot) -> bytes:
    return b"parley/worker-token\0" + owner_id.bytes + slot.encode()


def _signature(key: bytes, path: str, expires: int) -> str:
    digest = hmac.new(key, f"{expires}\n{path}".encode(), sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
