"""A session that waits for its finalize job, its segments stored already."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg

from bench.scenes.spool_maker import OWNER


def insert_ending_session(url: str, session_id: UUID, *, minutes: float) -> None:
    """A session that ran for `minutes` in one run, which is sealed."""
    ended = datetime.now(UTC) - timedelta(hours=1)
    started = ended - timedelta(minutes=minutes)
    organization = uuid4()
    with psycopg.connect(url) as conn:
        conn.execute(
            "INSERT INTO organizations (id, name, default_agent_id) VALUES (%s, %s, 'agent')",
            (organization, f"bench {organization}"),
        )
        conn.execute(
            """
            INSERT INTO sessions (id, organization_id, kind, status, epoch, url, room_key, room_name, worker_identity,
                audio_source, quality, multiplier, max_duration_seconds, idle_timeout_seconds, layout, on_pause,
                agent_id, created_at, updated_at, started_at, running_since, ending_at, outcome, end_reason,
                recording_state, ledger_at)
            VALUES (%(id)s, %(organization)s, 'voice', 'ending', 1, 'wss://c.example', 'c.example:443', %(room)s,
                'recorder', 'track', 'standard', 1, 14400, 30, 'mono', 'silence', 'agent', %(started)s, %(ended)s,
                %(started)s, %(started)s, %(ended)s, 'ended', 'end.requested', 'pending', %(started)s)
            """,
            {
                "id": session_id,
                "organization": organization,
                "room": str(session_id),
                "started": started,
                "ended": ended,
            },
        )
        conn.execute(
            """
            INSERT INTO runs (session_id, epoch, owner, host, claimed_at, beat_at, joined_at, billed_at, sealed_at,
                billable_ms)
            VALUES (%(id)s, 1, %(owner)s, 'bench', %(started)s, %(ended)s, %(started)s, %(ended)s, %(ended)s, %(ms)s)
            """,
            {"id": session_id, "owner": OWNER, "started": started, "ended": ended, "ms": round(minutes * 60_000)},
        )
