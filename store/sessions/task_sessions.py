"""What only `/api/sessions` does with a session: merge its data, replace its prompt, make a text one a voice one.

A request is one transaction: when a part of it is refused, nothing is written.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.errors import DatabaseRefusedError, ParleyError
from sessions.lifecycle.lifecycle import Event, Status
from sessions.lifecycle.stop import Stop
from sessions.session import LiveKitTransport, Session
from store.access.token_rows import put_shared_key, put_token
from store.access.vault import Slot, TokenVault
from store.database.database import Database
from store.database.notify.channels import MESSAGE_CHANNEL, notify
from store.database.tables import sessions
from store.lifecycle.locked_session import LockedSession, lock_held_session, lock_own_session
from store.lifecycle.pauses import bound_pausing
from store.lifecycle.row_changes import change_row
from store.lifecycle.session_rows import read_session
from store.lifecycle.transitions import apply, stop_session
from store.sessions.creation import transport_columns
from store.sessions.quota import UNLIMITED, SessionLimits, keep_quota
from store.sessions.room_identity import active_in_room, identity_in_use, is_identity_in_use

MAX_DATA_BYTES = 16 * 1024

Command = Literal["pause", "resume", "end"]


@dataclass(frozen=True, slots=True)
class TaskChanges:
    """What is to change; None: that stays.

    Attributes:
        command: the command for a session of this status; None: it is as wanted already.
        data: merged into what there is, member by member; a null deletes its member.
        prompt: replaces the prompt, also when it is empty.
        seat: where to join with which token until when, and with which shared key: makes a `created` text session a
            voice session.
    """

    command: Callable[[Status], Command | None] | None = None
    data: dict[str, Any] | None = None
    prompt: str | None = None
    seat: tuple[LiveKitTransport, SecretStr, datetime, SecretStr | None] | None = None


class TaskSessions:
    """Changes the sessions of a task."""

    def __init__(self, db: Database, vault: TokenVault) -> None:
        self._db = db
        self._vault = vault

    async def change(
        self, organization_id: UUID, session_id: UUID, changes: TaskChanges, *, limits: SessionLimits = UNLIMITED
    ) -> Session:
        """Apply all changes of a request.

        Args:
            limits: how many voice sessions the organization may have, with one that becomes one now.

        Raises:
            ParleyError: `not_found`, `transition.invalid`, `room.identity_in_use`, `quota.sessions`, `field.invalid`
                for data that has grown past 16 KiB. Nothing was written.
        """
        try:
            async with self._db.begin() as conn:
                changed = await self._change(conn, organization_id, session_id, changes)
                if changes.seat is not None:
                    await keep_quota(conn, organization_id, limits)
                return changed
        except DatabaseRefusedError as error:
            if not is_identity_in_use(error) or changes.seat is None:
                raise
        async with self._db.begin() as conn:
            raise identity_in_use(await active_in_room(conn, organization_id, changes.seat[0]))

    async def _change(
        self, conn: AsyncConnection, organization_id: UUID, session_id: UUID, changes: TaskChanges
    ) -> Session:
        if changes.command is not None:
            await bound_pausing(conn)
        locked = await lock_own_session(conn, organization_id, session_id)
        await _write_columns(conn, locked, await read_session(conn, session_id), changes)
        if changes.seat is not None:
            locked = await self._take_seat(conn, locked, *changes.seat)
        command = None if changes.command is None else changes.command(locked.status)
        match command:
            case "pause":
                await apply(conn, locked, Event.PAUSE)
            case "resume":
                await apply(conn, locked, Event.RESUME)
                await notify(conn, MESSAGE_CHANNEL, str(session_id))
            case "end":
                await stop_session(conn, locked, Stop.ended("end.requested"))
        return await read_session(conn, session_id)

    async def _take_seat(
        self,
        conn: AsyncConnection,
        locked: LockedSession,
        transport: LiveKitTransport,
        token: SecretStr,
        token_expires_at: datetime,
        shared_key: SecretStr | None,
    ) -> LockedSession:
        if locked.kind != "text" or locked.status is not Status.CREATED:
            raise ParleyError(
                "transition.invalid", "only a text session that is created takes a transport", param="data.transport"
            )
        columns = {"kind": "voice", "token_expires_at": token_expires_at, **transport_columns(transport)}
        await conn.execute(update(sessions).where(sessions.c.id == locked.id).values(columns))
        await put_token(conn, self._vault, locked.id, Slot.CUSTOMER, token, token_expires_at)
        await put_shared_key(conn, self._vault, locked.id, shared_key)
        await apply(conn, await lock_held_session(conn, locked.id), Event.DUE)
        return await lock_held_session(conn, locked.id)


async def _write_columns(conn: AsyncConnection, locked: LockedSession, before: Session, changes: TaskChanges) -> None:
    new: dict[str, Any] = {}
    if changes.data is not None and (data := merged(before.data, changes.data)) != before.data:
        new["data"] = data
    if changes.prompt is not None and changes.prompt != before.prompt:
        new["prompt"] = changes.prompt
    if not new:
        return
    await change_row(conn, locked, new, "session.updated", {"fields": sorted(new)})


def merged(before: dict[str, Any] | None, changes: dict[str, Any]) -> dict[str, Any]:
    """`before` with the members of `changes`; those that are null are deleted.

    Raises:
        ParleyError: `field.invalid`: it is larger than 16 KiB now.
    """
    data = {name: value for name, value in {**(before or {}), **changes}.items() if value is not None}
    if len(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()) > MAX_DATA_BYTES:
        raise ParleyError("field.invalid", "must not be larger than 16 KiB as JSON", param="data")
    return data
