-- Revision 18. Frozen. When nobody was in the room; null where an older release built the recording.
ALTER TABLE recordings ADD COLUMN absences JSONB;
