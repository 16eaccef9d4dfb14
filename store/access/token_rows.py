"""Where worker tokens are kept: one sealed row per session and slot."""

from datetime import datetime
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from store.access.vault import TokenVault
from store.database.tables import worker_tokens


async def put_token(
    conn: AsyncConnection, vault: TokenVault, session_id: UUID, slot: str, token: SecretStr, expires_at: datetime | None
) -> None:
    """Seal a token into a slot, in the place of what was there."""
    new = {"sealed": vault.seal(session_id, slot, token), "expires_at": expires_at}
    await conn.execute(
        insert(worker_tokens)
        .values(session_id=session_id, slot=slot, **new)
        .on_conflict_do_update(index_elements=["session_id", "slot"], set_=new)
    )
