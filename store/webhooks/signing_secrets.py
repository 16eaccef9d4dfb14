"""Secrets that sign webhooks: `whsec_` and 256 random bits in base64, sealed by the vault wherever they are kept."""

import base64
import os
from datetime import datetime
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import RowMapping

from store.access.sealed_columns import SEALED_WEBHOOK_SECRETS
from store.access.secret_rotation import seal_anew
from store.access.vault import Slot, TokenUnreadableError, TokenVault
from store.database.database import Database

PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_signing_secret() -> SecretStr:
    """One that nobody has had."""
    return SecretStr(PREFIX + base64.b64encode(os.urandom(_SECRET_BYTES)).decode())


class SigningSecrets:
    """Seals and opens the secrets of endpoints."""

    def __init__(self, vault: TokenVault) -> None:
        self._vault = vault

    def seal(self, endpoint_id: UUID, secret: SecretStr) -> bytes:
        """The secret that signs, sealed for this endpoint only."""
        return self._vault.seal(endpoint_id, Slot.WEBHOOK, secret)

    def seal_old(self, endpoint_id: UUID, sealed: bytes) -> bytes | None:
        """What `seal` made, sealed anew as the secret that was rotated; None if no present secret key opens it."""
        try:
            return self._vault.seal(endpoint_id, Slot.OLD_WEBHOOK, self._vault.open(endpoint_id, Slot.WEBHOOK, sealed))
        except TokenUnreadableError:
            return None

    def signing(self, row: RowMapping, now: datetime) -> list[SecretStr]:
        """The secrets that sign at `now`, newest first.

        Raises:
            TokenUnreadableError: no present secret key opens them.
        """
        secrets = [self._vault.open(row["id"], Slot.WEBHOOK, row["sealed_secret"])]
        if row["sealed_old_secret"] is not None and row["old_secret_until"] > now:
            secrets.append(self._vault.open(row["id"], Slot.OLD_WEBHOOK, row["sealed_old_secret"]))
        return secrets

    async def seal_anew(self, db: Database) -> None:
        """Seal with the newest secret key what an older one has sealed, so that the old one can be dropped.

        Raises:
            DatabaseError: not all of them.
        """
        await seal_anew(db, self._vault, SEALED_WEBHOOK_SECRETS)
