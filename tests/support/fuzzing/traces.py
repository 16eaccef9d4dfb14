"""What a request leaves in the database: triggers note each row that is written, whatever wrote it."""

from collections import Counter

import psycopg
from psycopg import sql

# Of a row that a request takes back there is no trace: a key that was refused may be used again.
TAKEN_BACK = "idempotency_keys"
# When a key was last used is known to the minute, whatever it was used for; messages are delivered by the worker; the
# sweeper notes when somebody has to look again for what is left of a session, a minute after it was said to.
NOTED_ANYWAY = {"api_keys": "last_used_at", "log_entries": "delivered_at", "leftovers": "due_at"}
# The tables of jobs belong to Procrastinate's own processes; what defers a job writes elsewhere too. The turns of the
# sweeper are no request's, nor are the numbers that events get a moment later (`session_events` has those of sessions).
# A form of a recording that is not there is refused, and made from then on.
_TABLES = """
    SELECT table_name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
      AND table_name NOT LIKE 'procrastinate%'
      AND table_name NOT IN ('alembic_version', 'sweeps', 'recording_files', 'traces')
      AND table_name NOT IN ('event_inbox', 'event_logs', 'events')
"""
_SETUP = """
    CREATE TABLE traces (relation text NOT NULL, rows int NOT NULL);
    CREATE FUNCTION note_trace() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND TG_NARGS = 1 AND to_jsonb(OLD) - TG_ARGV[0] = to_jsonb(NEW) - TG_ARGV[0] THEN
            RETURN NULL;
        END IF;
        INSERT INTO traces VALUES (TG_TABLE_NAME, CASE TG_OP WHEN 'INSERT' THEN 1 WHEN 'DELETE' THEN -1 ELSE 0 END);
        RETURN NULL;
    END $$;
"""


class Traces:
    """Reads and clears what was written since the last time."""

    def __init__(self, database_url: str) -> None:
        self._conn = psycopg.connect(database_url, autocommit=True)

    def close(self) -> None:
        """Let go of the connection."""
        self._conn.close()

    def take(self) -> set[str]:
        """The tables in which rows were written, and stay written."""
        written: Counter[str] = Counter()
        balance = 0
        for relation, rows in self._conn.execute("DELETE FROM traces RETURNING relation, rows"):
            written[relation] += 1
            balance += rows if relation == TAKEN_BACK else 0
        if balance == 0:
            written.pop(TAKEN_BACK, None)
        return set(written)


def note_traces(database_url: str) -> None:
    """Set the triggers up."""
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(_SETUP)
        for (table,) in conn.execute(_TABLES).fetchall():
            column = NOTED_ANYWAY.get(table)
            conn.execute(
                sql.SQL(
                    "CREATE TRIGGER note_trace AFTER INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW"
                    " EXECUTE FUNCTION note_trace({})"
                ).format(sql.Identifier(table), sql.SQL("") if column is None else sql.Literal(column))
            )
