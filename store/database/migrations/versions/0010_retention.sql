-- Revision 10. Frozen. Retention finds sessions by their end, and an erasure finds its session's jobs among any number.

CREATE INDEX ix_sessions_finished ON sessions (finished_at, id) WHERE finished_at IS NOT NULL;
CREATE INDEX ix_procrastinate_jobs_session ON procrastinate_jobs ((args ->> 'session_id'));
