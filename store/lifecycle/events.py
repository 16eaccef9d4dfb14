"""A session's events: numbered rows, each written in the transaction that makes the change it reports.

The same statement puts each into the organization's log, with the session as it is then (`store.events`).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.codes import lookup
from sessions.texts.redaction import redact_value
from store.events.appending import NEW_ID, NOTIFY, SNAPSHOT

_APPEND = text(
    f"""
    WITH event AS (
        INSERT INTO session_events (id, session_id, seq, type, at, epoch, status_from, status_to, code, fault, data)
        SELECT {NEW_ID}, :session_id, coalesce(max(seq), 0) + 1, :type, coalesce(:at, statement_timestamp()), :epoch,
               :status_from, :status_to, :code, :fault, :data
        FROM session_events WHERE session_id = :session_id
        RETURNING *
    ), put AS (
        INSERT INTO event_inbox (id, organization_id, session_id, agent_id, seq, type, at, facts, session)
        SELECT e.id, s.organization_id, s.id, s.agent_id, e.seq, e.type, e.at,
            jsonb_build_object('epoch', e.epoch, 'status_from', e.status_from, 'status_to', e.status_to,
                'code', e.code, 'fault', e.fault) || e.data || :content,
            {SNAPSHOT}
        FROM event e JOIN sessions s ON s.id = e.session_id
        RETURNING organization_id
    )
    {NOTIFY}
    """
).bindparams(
    bindparam("data", type_=JSONB), bindparam("content", type_=JSONB), bindparam("at", type_=DateTime(timezone=True))
)


async def append(
    conn: AsyncConnection,
    session_id: UUID,
    type_: str,
    *,
    epoch: int,
    status_from: str | None = None,
    status_to: str | None = None,
    code: str | None = None,
    fault: str | None = None,
    data: Mapping[str, Any] | None = None,
    content: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> None:
    """Write the session's next event, and put it into its organization's log.

    The transaction must hold the lock of the session's row, or have inserted it.

    Args:
        type_: one of `sessions.events.event_types`.
        status_from: the state before a transition, `status_to` the one after it; both None for any other event.
        code: why, from the registry; `fault` is the registry's unless given.
        data: plain JSON, the facts that the type names besides; redacted before it is written.
        content: more of them, which the organization's log has and the session's does not; redacted, too.
        at: when; now unless given.

    Raises:
        KeyError: `code` is not registered.
    """
    if code is not None:
        registered = lookup(code)
        fault = registered.fault if fault is None else fault
    await conn.execute(
        _APPEND,
        {
            "session_id": session_id,
            "type": type_,
            "at": at,
            "epoch": epoch,
            "status_from": status_from,
            "status_to": status_to,
            "code": code,
            "fault": fault,
            "data": redact_value(dict(data or {})),
            "content": redact_value(dict(content or {})),
        },
    )
