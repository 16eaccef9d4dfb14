"""Rows of an organization's log of events, and events that happen now."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg
from pydantic import SecretStr
from sqlalchemy import text

from bench.scenes.parley_stack import MASTER_KEY
from store.access.api_keys import ApiKeys
from store.database.database import Database
from store.events.appending import append_event
from store.events.cursor import Cursor
from store.events.organization_events import OrganizationEvents

COMMON, RARE = "session.updated", "session.archived"
"""Types: of nearly all rows, and of one in a thousand."""

AGENT = "agent_of_some"
SESSION = UUID(int=7)
"""Every hundredth row is of this agent, every thousandth of this session."""

_ROWS = f"""
    INSERT INTO events (organization_id, position, id, session_id, agent_id, seq, type, at, facts, session, recorded_at)
    SELECT %(organization)s, i, gen_random_uuid(),
        CASE WHEN i %% 1000 = 0 THEN %(session)s ELSE md5('session' || i / 10)::uuid END,
        CASE WHEN i %% 100 = 0 THEN '{AGENT}' ELSE 'agent_' || i %% 50 END, i,
        CASE WHEN i %% 1000 = 500 THEN '{RARE}' ELSE '{COMMON}' END, now(), '{{"fields": ["title"]}}',
        jsonb_build_object('status', 'running', 'task_id', NULL, 'project_id', NULL, 'external_customer_id', NULL,
            'metadata', jsonb_build_object('case', i), 'end_reason', NULL, 'error_code', NULL, 'error_message', NULL,
            'credited_ms', 0, 'billable_ms', i, 'frames', i, 'audio_ms', i, 'usage_as_of', NULL),
        now()
    FROM generate_series(1, %(rows)s::bigint) AS i
"""
_LOG = """
    INSERT INTO event_logs (organization_id, last_position) VALUES (%(organization)s, %(rows)s)
    ON CONFLICT (organization_id) DO UPDATE SET last_position = excluded.last_position
"""
_MANY = text(
    """
    INSERT INTO event_inbox (id, organization_id, type, at, facts)
    SELECT gen_random_uuid(), :organization_id, 'webhook_endpoint.disabled', now(),
        jsonb_build_object('endpoint_id', mark, 'url', '', 'reason', 'failing')
    FROM unnest(CAST(:marks AS text[])) AS mark
    """
)


@dataclass(frozen=True, slots=True)
class OrganizationLog:
    """The log of the organization whose master key the APIs of the benchmarks have."""

    db: Database
    events: OrganizationEvents
    organization_id: UUID

    async def happen(self, mark: str = "") -> None:
        """One event about no session, committed; `mark` is its `endpoint_id`."""
        facts = {"endpoint_id": mark, "url": "", "reason": "failing"}
        async with self.db.begin() as conn:
            await append_event(conn, self.organization_id, "webhook_endpoint.disabled", facts=facts)

    async def happen_often(self, marks: Collection[str]) -> None:
        """One such event for each mark, all committed at once."""
        async with self.db.begin() as conn:
            await conn.execute(_MANY, {"organization_id": self.organization_id, "marks": list(marks)})

    async def cursor_at(self, position: int) -> Cursor:
        """The cursor behind this event."""
        event = await self.events.at(self.organization_id, position)
        assert event is not None
        return event.cursor


@asynccontextmanager
async def organization_log(url: str, rows: int = 0) -> AsyncIterator[OrganizationLog]:
    """The log with so many rows, made at once."""
    async with Database.open(url, timeout_seconds=30, application_name="bench") as db:
        await ApiKeys(db).ensure_master(SecretStr(MASTER_KEY))
        principal = await ApiKeys(db).authenticate(MASTER_KEY)
        if rows:
            values = {"organization": principal.organization_id, "session": SESSION, "rows": rows}
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
                for setting in ("statement_timeout", "transaction_timeout"):
                    await conn.execute(f"SET {setting} = 0")
                await conn.execute(_ROWS.encode(), values)
                await conn.execute(_LOG, values)
                await conn.execute("VACUUM ANALYZE events")
        yield OrganizationLog(db, OrganizationEvents(db), principal.organization_id)
