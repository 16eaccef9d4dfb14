-- Revision 13. Frozen. What a run stored: {"count": n, "stored": [[name, [[code, start_sample, end_sample], …]], …]}.
-- {"count": 0, "stored": []} from the join on; null for a run of an older release, whose numbers have holes.
ALTER TABLE runs ADD COLUMN segments JSONB;
