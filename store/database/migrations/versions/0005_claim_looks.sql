-- Revision 5. Frozen. Sessions to claim are found without reading every session that runs.

CREATE INDEX ix_sessions_queued ON sessions (id) WHERE kind = 'voice' AND status = 'queued';
CREATE INDEX ix_runs_released ON runs (released_at) WHERE released_at IS NOT NULL AND sealed_at IS NULL;
