"""Fills the tables with sessions that are over, as years of use would."""

from uuid import UUID

import psycopg

RARE = 25
"""How many sessions have the rare agent, how many the rare tag, how many the rare status; all among the oldest."""

RARE_AGENT = "agent_rare"
RARE_TAG = "rare"
_OLDEST_MS = 1_700_000_000_000  # session i was created i seconds after this

# UUIDv7: 48 bits of milliseconds, version, variant; what is random elsewhere comes from the number.
_INSERT = f"""
    INSERT INTO sessions (id, organization_id, kind, status, version, epoch, url, room_key, room_name, worker_identity,
        audio_source, quality, multiplier, max_duration_seconds, idle_timeout_seconds, layout, on_pause, metadata, tags,
        title, agent_id, external_customer_id, created_at, updated_at, queued_at, start_at, started_at, ending_at,
        ended_at, finished_at, outcome, end_reason, recording_state, ledger_ms)
    SELECT (lpad(to_hex(ms), 12, '0') || '7' || substr(digits, 1, 3) || '8' || substr(digits, 4, 15))::uuid,
        %(organization)s, 'voice', status, 9, 1, 'wss://customer.example', 'customer.example:443', 'room-' || i,
        'recorder', 'track', 'standard', 1, 3600, 30, 'mono', 'silence', jsonb_build_object('number', i),
        CASE WHEN i %% {{every}} = 0 AND i <= %(small)s THEN ARRAY['{RARE_TAG}'] ELSE ARRAY[]::text[] END,
        'Session ' || i, CASE WHEN i %% {{every}} = 1 AND i <= %(small)s THEN '{RARE_AGENT}' ELSE %(agent)s END,
        'customer-' || i %% 100, at, at + interval '10 minutes', at,
        CASE WHEN status = 'created' THEN timestamptz '2999-01-01' END, at, at + interval '10 minutes',
        CASE WHEN status = 'ended' THEN at + interval '10 minutes' END, at + interval '10 minutes',
        CASE WHEN status <> 'created' THEN status END, CASE WHEN status = 'ended' THEN 'end.requested' END,
        CASE WHEN status = 'ended' THEN 'available' ELSE 'none' END, 600000
    FROM (
        SELECT i, {_OLDEST_MS} + i * 1000 AS ms, to_timestamp({_OLDEST_MS} / 1000 + i) AS at, md5(i::text) AS digits,
            CASE WHEN i %% {{every}} = 2 AND i <= %(small)s THEN 'created' WHEN i %% 20 = 3 THEN 'failed'
                 WHEN i %% 20 = 4 THEN 'canceled' ELSE 'ended' END AS status
        FROM generate_series(1, %(wanted)s::bigint) AS i
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
        statement = _INSERT.format(every=small // RARE).encode()
        values = {"organization": organization, "agent": row[1], "small": small, "wanted": wanted}
        with conn.transaction():
            conn.execute("SET LOCAL statement_timeout = 0")
            conn.execute("SET LOCAL transaction_timeout = 0")
            conn.execute(statement, values)
            conn.execute(_INSERT_RUNS)
        conn.execute("SET statement_timeout = 0")
        conn.execute("VACUUM ANALYZE")
