-- Revision 10. Frozen. Retention finds what is over by when it ended, and an erasure its session's jobs among any number.

CREATE INDEX ix_sessions_finished ON sessions (finished_at, id) WHERE finished_at IS NOT NULL;
CREATE INDEX ix_procrastinate_jobs_session ON procrastinate_jobs ((args ->> 'session_id'));
