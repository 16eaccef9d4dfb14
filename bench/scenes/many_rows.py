"""Fills the other lists: one session's log, events and bill, the organization's bill, its API keys."""

from dataclasses import dataclass
from uuid import UUID

import psycopg

_LOG = """
    INSERT INTO log_entries (session_id, seq, id, kind, role, text, source, start_ms, end_ms, created_at, delivered_at)
    SELECT %(session)s, i, gen_random_uuid(), CASE WHEN i %% 2 = 0 THEN 'message' ELSE 'segment' END, 'user',
        'what was said as number ' || i, CASE WHEN i %% 2 = 0 THEN 'lk.chat' ELSE 'lk.transcription' END,
        i * 1000, i * 1000 + 900, now(), now()
    FROM generate_series(1, %(rows)s::bigint) AS i
"""
_EVENTS = """
    INSERT INTO session_events (id, session_id, seq, type, at, epoch)
    SELECT gen_random_uuid(), %(session)s, i, 'recording.gap', now(), 1 FROM generate_series(1, %(rows)s::bigint) AS i
"""
# Every second row is of one session; the others are of sessions that have been erased.
_BILL = """
    INSERT INTO usage_events (id, session_id, organization_id, epoch, kind, from_ms, to_ms, quality, multiplier,
        credits, agent_id, external_customer_id, recorded_at)
    SELECT md5('bill' || i)::uuid, CASE WHEN i %% 2 = 0 THEN %(session)s ELSE md5('gone' || i)::uuid END,
        %(organization)s, 1, 'accrual', i * 60000, (i + 1) * 60000, 'standard', 1, 60, %(agent)s,
        'customer-' || i %% 1000,
        date_trunc('month', now()) + (now() - interval '1 minute' - date_trunc('month', now())) * i / %(rows)s
    FROM generate_series(1, %(rows)s::bigint) AS i
"""
# All keys but the oldest belong to other agents.
_KEYS = """
    INSERT INTO api_keys (id, organization_id, kind, agent_id, name, scopes, sha256, prefix, last_four, created_at)
    SELECT (lpad(to_hex(1700000000000 + i), 12, '0') || '70008000000000000000')::uuid, %(organization)s, 'agent',
        CASE WHEN i <= 25 THEN %(agent)s ELSE 'agent_' || i %% 1000 END, 'key ' || i, '{sessions:read}',
        sha256(i::text::bytea), 'parley_agent_', 'abcd', now()
    FROM generate_series(1, %(rows)s::bigint) AS i
"""


@dataclass(frozen=True, slots=True)
class FilledSession:
    """The session that has all of it.

    Attributes:
        bill_row: a row of the bill in its middle, one of the session's.
    """

    id: UUID
    organization_id: UUID
    agent_id: str
    bill_row: UUID


def fill_lists(url: str, *, rows: int) -> FilledSession:
    """Give the newest session of the default organization `rows` of everything, and the organization as many keys."""
    with psycopg.connect(url, autocommit=True) as conn:
        found = conn.execute(
            "SELECT s.id, o.id, o.default_agent_id FROM sessions s JOIN organizations o ON o.id = s.organization_id"
            " WHERE s.agent_id = o.default_agent_id ORDER BY s.id DESC LIMIT 1"
        ).fetchone()
        assert found is not None
        values = {"session": found[0], "organization": found[1], "agent": found[2], "rows": rows}
        with conn.transaction():
            conn.execute("SET LOCAL statement_timeout = 0")
            conn.execute("SET LOCAL transaction_timeout = 0")
            for statement in (_LOG, _EVENTS, _BILL, _KEYS):
                conn.execute(statement.encode(), values)
            conn.execute("UPDATE sessions SET message_count = %(rows)s / 2 WHERE id = %(session)s", values)
        conn.execute("SET statement_timeout = 0")
        conn.execute("VACUUM ANALYZE")
        middle = conn.execute("SELECT md5('bill' || (%s::bigint / 4 * 2))::uuid", [rows]).fetchone()
        assert middle is not None
        return FilledSession(found[0], found[1], found[2], middle[0])
