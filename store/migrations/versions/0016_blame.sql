-- Revision 16. Frozen. Recorder processes that died together are no session's fault; blame is counted from the runs.
ALTER TABLE runs ADD COLUMN pardoned BOOLEAN DEFAULT false NOT NULL;
ALTER TABLE sessions DROP COLUMN lost_runs;
ALTER TABLE sessions DROP COLUMN lost_alone;
