-- Revision 11. Frozen. When each task of the sweeper was done last, so that any number of processes can take turns.
CREATE TABLE sweeps (
    concern TEXT NOT NULL,
    swept_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_sweeps PRIMARY KEY (concern)
);

CREATE INDEX ix_sessions_due ON sessions (start_at) WHERE kind = 'voice' AND status = 'created';
-- As a timestamp without time zone: only its sum with an interval is immutable, as an index needs.
CREATE INDEX ix_sessions_longest ON sessions (((started_at AT TIME ZONE 'UTC') + make_interval(secs => max_duration_seconds)))
    WHERE kind = 'voice' AND status IN ('running', 'paused');
