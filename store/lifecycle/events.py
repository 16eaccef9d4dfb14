"""A session's events: numbered rows, each written in the transaction that makes the change it reports."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.codes import lookup
from sessions.texts.redaction import redact_value

# A UUIDv7 of the database's time: the milliseconds in place of a random UUID's first 48 bits, and its version 4 made 7.
_ID = """
    CAST(encode(set_bit(set_bit(overlay(
        uuid_send(gen_random_uuid())
        PLACING substring(int8send(CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)) FROM 3)
        FROM 1 FOR 6
    ), 52, 1), 53, 1), 'hex') AS uuid)
"""
_APPEND = text(
    f"""
    INSERT INTO session_events (id, session_id, seq, type, at, epoch, status_from, status_to, code, fault, data)
    SELECT {_ID}, :session_id, coalesce(max(seq), 0) + 1, :type, coalesce(:at, statement_timestamp()), :epoch,
           :status_from, :status_to, :code, :fault, :data
    FROM session_events WHERE session_id = :session_id
    """
).bindparams(bindparam("data", type_=JSONB), bindparam("at", type_=DateTime(timezone=True)))


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
    at: datetime | None = None,
) -> None:
    """Write the session's next event. The transaction must hold the lock of the session's row, or have inserted it.

    Args:
        type_: `session.<status>`, `session.retrying`, `recording.<state>`, …
        status_from: the state before a transition, `status_to` the one after it; both None for any other event.
        code: why, from the registry; `fault` is the registry's unless given.
        data: plain JSON; redacted before it is written.
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
        },
    )
