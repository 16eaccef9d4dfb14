"""Fills the tables with sessions that are over, as years of use would.

Whatever filter a page has, the 25 sessions that it shows are the oldest ones, behind everything that it must not read:
those of a rare agent, task, project, customer, tag and status; the only ones that an agent has not archived; and the
default agent's only ones with a customer and a tag that all sessions of another agent have.
"""

from uuid import UUID

import psycopg

RARE = 25
"""How many sessions each kind of page finds, with 1,000 sessions in the smaller table."""

RARE_AGENT = "agent_rare"
FILING_AGENT = "agent_filing"
OTHER_AGENT = "agent_other"
RARE_TAG, RARE_TASK, RARE_PROJECT, RARE_CUSTOMER = "rare", "task-rare", "project-rare", "customer-rare"
OTHER_TAG, OTHER_TASK, OTHER_PROJECT, OTHER_CUSTOMER = "other", "task-other", "project-other", "customer-other"
_OLDEST_MS = 1_700_000_000_000  # session i was created i seconds after this

# `slot` counts to 40 over and over: one slot is 2.5 % of the sessions, and 25 of the oldest.
# UUIDv7: 48 bits of milliseconds, version, variant; what is random elsewhere comes from the number.
_INSERT = f"""
    INSERT INTO sessions (id, organization_id, kind, status, version, epoch, url, room_key, room_name, worker_identity,
        audio_source, quality, multiplier, max_duration_seconds, idle_timeout_seconds, layout, on_pause, metadata, tags,
        title, agent_id, task_id, project_id, external_customer_id, archived_at, created_at, updated_at, queued_at,
        start_at, started_at, ending_at, ended_at, finished_at, outcome, end_reason, recording_state, ledger_ms)
    SELECT (lpad(to_hex(ms), 12, '0') || '7' || substr(digits, 1, 3) || '8' || substr(digits, 4, 15))::uuid,
        %(organization)s, 'voice', status, 9, 1, 'wss://customer.example', 'customer.example:443', 'room-' || i,
        'recorder', 'track', 'standard', 1, 3600, 30, 'mono', 'silence', jsonb_build_object('number', i),
        CASE WHEN old AND slot = 0 THEN ARRAY['{RARE_TAG}'] WHEN shared THEN ARRAY['{OTHER_TAG}']
             ELSE ARRAY[]::text[] END,
        'Session ' || i,
        CASE WHEN old AND slot = 1 THEN '{RARE_AGENT}' WHEN slot BETWEEN 8 AND 15 THEN '{FILING_AGENT}'
             WHEN slot = 16 THEN '{OTHER_AGENT}' ELSE %(agent)s END,
        CASE WHEN old AND slot = 5 THEN '{RARE_TASK}' WHEN shared THEN '{OTHER_TASK}' END,
        CASE WHEN old AND slot = 6 THEN '{RARE_PROJECT}' WHEN shared THEN '{OTHER_PROJECT}' END,
        CASE WHEN old AND slot = 7 THEN '{RARE_CUSTOMER}' WHEN shared THEN '{OTHER_CUSTOMER}' END,
        CASE WHEN slot BETWEEN 8 AND 15 AND NOT (old AND slot = 8) OR old AND slot = 18 THEN at END,
        at, at + interval '10 minutes', at,
        CASE WHEN status = 'created' THEN timestamptz '2999-01-01' END, at, at + interval '10 minutes',
        CASE WHEN status = 'ended' THEN at + interval '10 minutes' END, at + interval '10 minutes',
        CASE WHEN status <> 'created' THEN status END, CASE WHEN status = 'ended' THEN 'end.requested' END,
        CASE WHEN status = 'ended' THEN 'available' ELSE 'none' END, 600000
    FROM (
        SELECT i, {_OLDEST_MS} + i * 1000 AS ms, to_timestamp({_OLDEST_MS} / 1000 + i) AS at, md5(i::text) AS digits,
            slot, i <= %(small)s AS old, slot = 16 OR slot = 17 AND i <= %(small)s AS shared,
            CASE WHEN slot = 2 AND i <= %(small)s THEN 'created'
                 WHEN slot IN (3, 16) THEN 'failed'
                 WHEN slot = 4 THEN 'canceled' ELSE 'ended' END AS status
        FROM (SELECT i, i %% 40 AS slot FROM generate_series(1, %(wanted)s::bigint) AS i) AS numbered
    ) AS made
"""
_INSERT_RUNS = """
    INSERT INTO runs (session_id, epoch, owner, host, claimed_at, beat_at, joined_at, sealed_at, billable_ms, frames,
        audio_ms)
    SELECT s.id, 1, gen_random_uuid(), 'host', s.created_at, s.finished_at, s.created_at, s.finished_at, 600000, 60000,
        600000
    FROM sessions s WHERE s.status <> 'created'
"""


def fill(url: str, *, small: int, wanted: int) -> None:
    """Put `wanted` sessions of the default organization into an empty table, the rare ones among the first `small`."""
    with psycopg.connect(url, autocommit=True) as conn:
        row = conn.execute("SELECT id, default_agent_id FROM organizations WHERE name = 'default'").fetchone()
        assert row is not None
        organization: UUID = row[0]
        values = {"organization": organization, "agent": row[1], "small": small, "wanted": wanted}
        with conn.transaction():
            conn.execute("SET LOCAL statement_timeout = 0")
            conn.execute("SET LOCAL transaction_timeout = 0")
            conn.execute(_INSERT.encode(), values)
            conn.execute(_INSERT_RUNS)
