-- Revision 16. Frozen. Recorder processes that died together are no session's fault; blame is counted from the runs.
ALTER TABLE runs ADD COLUMN pardoned BOOLEAN DEFAULT false NOT NULL;
ALTER TABLE sessions DROP COLUMN lost_runs;
ALTER TABLE sessions DROP COLUMN lost_alone;
CREATE INDEX ix_runs_released_at ON runs (released_at) WHERE released_at IS NOT NULL;
