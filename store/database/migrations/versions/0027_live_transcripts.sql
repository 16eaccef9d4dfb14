-- Revision 27. Frozen. Who recognizes the speech of which running session, and how far that has come.
CREATE TABLE live_transcripts (
    session_id UUID PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    owner UUID NOT NULL,
    held_until TIMESTAMPTZ NOT NULL,
    heard_ms BIGINT NOT NULL DEFAULT 0,
    language TEXT,
    model TEXT
);
CREATE INDEX ix_sessions_live ON sessions (id)
    WHERE transcription_mode = 'live' AND status IN ('running', 'paused');
