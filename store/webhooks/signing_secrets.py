"""Secrets that sign webhooks: `whsec_` and 256 random bits in base64, sealed by the vault wherever they are kept."""

import base64
import os
from datetime import datetime
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import RowMapping, func, select, update

from store.access.vault import TokenVault
from store.database.database import Database
from store.database.tables import webhook_endpoints as endpoints

PREFIX = "whsec_"
_SECRET_BYTES = 32
_CURRENT = "webhook"
_OLD = "webhook_old"
_BATCH = 200


def new_signing_secret() -> SecretStr:
    """One that nobody has had."""
    return SecretStr(PREFIX + base64.b64encode(os.urandom(_SECRET_BYTES)).decode())


class SigningSecrets:
    """Seals and opens the secrets of endpoints."""

    def __init__(self, vault: TokenVault) -> None:
        self._vault = vault

    def seal(self, endpoint_id: UUID, secret: SecretStr) -> bytes:
        """The secret that signs, sealed for this endpoint only."""
        return self._vault.seal(endpoint_id, _CURRENT, secret)

    def seal_old(self, endpoint_id: UUID, sealed: bytes) -> bytes:
        """What `seal` made, sealed anew as the secret that was rotated.

        Raises:
            TokenUnreadableError: no present secret key opens it.
        """
        return self._vault.seal(endpoint_id, _OLD, self._vault.open(endpoint_id, _CURRENT, sealed))

    def signing(self, row: RowMapping, now: datetime) -> list[SecretStr]:
        """The secrets that sign at `now`, newest first.

        Raises:
            TokenUnreadableError: no present secret key opens them.
        """
        secrets = [self._vault.open(row["id"], _CURRENT, row["sealed_secret"])]
        if row["sealed_old_secret"] is not None and row["old_secret_until"] > now:
            secrets.append(self._vault.open(row["id"], _OLD, row["sealed_old_secret"]))
        return secrets

    async def seal_anew(self, db: Database) -> int:
        """Seal with the newest secret key what an older one has sealed, so that the old one can be dropped.

        Returns:
            How many endpoints' secrets were sealed anew; at most 200 at once.

        Raises:
            TokenUnreadableError: no present secret key opens one.
        """
        newest = self._vault.newest_mark
        current, old = endpoints.c.sealed_secret, endpoints.c.sealed_old_secret
        outdated = (func.substr(current, 1, len(newest)) != newest) | (
            old.is_not(None) & (func.substr(old, 1, len(newest)) != newest)
        )
        query = (
            select(endpoints.c.id, current, old)
            .where(endpoints.c.status != "deleted", outdated)
            .limit(_BATCH)
            .with_for_update(skip_locked=True)
        )
        async with db.begin() as conn:
            rows = (await conn.execute(query)).mappings().all()
            for row in rows:
                sealed = {"sealed_secret": self._again(row["id"], _CURRENT, row["sealed_secret"])}
                if row["sealed_old_secret"] is not None:
                    sealed["sealed_old_secret"] = self._again(row["id"], _OLD, row["sealed_old_secret"])
                await conn.execute(update(endpoints).where(endpoints.c.id == row["id"]).values(sealed))
        return len(rows)

    def _again(self, endpoint_id: UUID, slot: str, sealed: bytes) -> bytes:
        return self._vault.seal(endpoint_id, slot, self._vault.open(endpoint_id, slot, sealed))
