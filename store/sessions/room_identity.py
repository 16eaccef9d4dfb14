"""One active session of an organization records a room with an identity: LiveKit would evict one of two."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions import ids
from sessions.destinations.room_url import AllowedAddresses, parse_room_url
from sessions.errors import DatabaseRefusedError, ParleyError
from sessions.lifecycle.lifecycle import ACTIVE
from sessions.session import LiveKitTransport
from store.database.tables import sessions


def room_key(transport: LiveKitTransport) -> str:
    """Host and port of the server, spelled the same however its URL is spelled."""
    url = parse_room_url(transport.url, AllowedAddresses(everything=True))  # whether it is allowed was decided before
    return f"{url.host}:{url.port}"


def is_identity_in_use(error: DatabaseRefusedError) -> bool:
    """Whether a statement failed because another active session has its room and identity."""
    return error.constraint == "uq_sessions_room_identity"


async def active_in_room(conn: AsyncConnection, organization_id: UUID, transport: LiveKitTransport) -> UUID | None:
    """The organization's active session with this room and identity, if there is one."""
    query = select(sessions.c.id).where(
        sessions.c.organization_id == organization_id,
        sessions.c.room_key == room_key(transport),
        sessions.c.room_name == transport.room_name,
        sessions.c.worker_identity == transport.worker_identity,
        sessions.c.kind == "voice",
        sessions.c.status.in_([str(status) for status in ACTIVE]),
    )
    found: UUID | None = (await conn.execute(query)).scalar_one_or_none()
    return found


def identity_in_use(existing: UUID | None) -> ParleyError:
    """The refusal of a room and identity that `existing` has."""
    return ParleyError(
        "room.identity_in_use",
        "another active session records this room with this identity",
        param="transport.worker_identity",
        extra={"existing_session_id": None if existing is None else ids.format_id("sess", existing)},
    )
