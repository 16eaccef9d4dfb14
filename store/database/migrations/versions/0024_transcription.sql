-- Revision 24. Frozen. Whether the speech of a session is recognized, and in which language.
ALTER TABLE sessions ADD COLUMN transcription_mode TEXT NOT NULL DEFAULT 'after';
ALTER TABLE sessions ADD COLUMN transcription_language TEXT;
