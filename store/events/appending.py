"""Putting events into the inbox, in the transaction that makes them happen: they are numbered when it has committed.

Readers are notified by the same statement.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.texts.redaction import redact_value
from store.database.notify.channels import EVENT_CHANNEL

# A UUIDv7 of the database's time: the milliseconds in place of a random UUID's first 48 bits, and its version 4 made 7.
NEW_ID = """
    CAST(encode(set_bit(set_bit(overlay(
        uuid_send(gen_random_uuid())
        PLACING substring(int8send(CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)) FROM 3)
        FROM 1 FOR 6
    ), 52, 1), 53, 1), 'hex') AS uuid)
"""

# Of `sessions s`: what each event of a session says about it, as it is then.
SNAPSHOT = """
    jsonb_build_object(
        'status', s.status, 'task_id', s.task_id, 'project_id', s.project_id,
        'external_customer_id', s.external_customer_id, 'metadata', s.metadata, 'end_reason', s.end_reason,
        'error_code', s.error_code, 'error_message', s.error_message, 'credited_ms', s.credited_ms
    ) || (
        SELECT jsonb_build_object(
            'billable_ms', coalesce(sum(billable_ms), 0), 'frames', coalesce(sum(frames), 0),
            'audio_ms', coalesce(sum(audio_ms), 0), 'usage_as_of', max(beat_at) FILTER (WHERE joined_at IS NOT NULL)
        ) FROM runs WHERE session_id = s.id
    )
"""
NOTIFY = f"SELECT pg_notify('{EVENT_CHANNEL}', CAST(organization_id AS text)) FROM put"

_APPEND = text(
    f"""
    WITH put AS (
        INSERT INTO event_inbox (id, organization_id, agent_id, type, at, facts)
        VALUES ({NEW_ID}, :organization_id, :agent_id, :type, statement_timestamp(), :facts)
        RETURNING organization_id
    )
    {NOTIFY}
    """
).bindparams(bindparam("facts", type_=JSONB))


async def append_event(
    conn: AsyncConnection,
    organization_id: UUID,
    type_: str,
    *,
    facts: Mapping[str, Any],
    agent_id: str | None = None,
) -> None:
    """Write an event that is about no session. Those of sessions are written by `store.lifecycle.events`.

    Args:
        type_: one of `sessions.events.event_types`.
        facts: plain JSON, those that the type names; redacted before they are written.
    """
    values = {
        "organization_id": organization_id,
        "agent_id": agent_id,
        "type": type_,
        "facts": redact_value(dict(facts)),
    }
    await conn.execute(_APPEND, values)
