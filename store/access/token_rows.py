"""Where worker tokens are kept: one sealed row per session and slot. The customer's has the room's shared key, too."""

from datetime import datetime
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from store.access.vault import Slot, TokenVault
from store.database.tables import worker_tokens


async def put_token(
    conn: AsyncConnection,
    vault: TokenVault,
    session_id: UUID,
    slot: Slot,
    token: SecretStr,
    expires_at: datetime | None,
) -> None:
    """Seal a token into a slot, in the place of what was there."""
    new = {"sealed": vault.seal(session_id, slot, token), "expires_at": expires_at}
    await conn.execute(
        insert(worker_tokens)
        .values(session_id=session_id, slot=slot, **new)
        .on_conflict_do_update(index_elements=["session_id", "slot"], set_=new)
    )


async def put_shared_key(
    conn: AsyncConnection, vault: TokenVault, session_id: UUID, shared_key: SecretStr | None
) -> None:
    """Seal the key of a room's end-to-end encryption, if there is one, into the row of the customer's token.

    So it is erased with the token, and stays when another one takes that token's place.
    """
    if shared_key is not None:
        await conn.execute(
            update(worker_tokens)
            .where(worker_tokens.c.session_id == session_id, worker_tokens.c.slot == Slot.CUSTOMER)
            .values(sealed_shared_key=vault.seal(session_id, Slot.SHARED_KEY, shared_key))
        )
