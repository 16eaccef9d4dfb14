-- Revision 28. Frozen. Transcripts that were made anew: version 1 is the log's.
CREATE TABLE transcript_versions (
    session_id UUID NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    run_id UUID NOT NULL,
    state TEXT NOT NULL,
    asked_engine TEXT,
    asked_language TEXT,
    requested_at TIMESTAMPTZ NOT NULL,
    attempted_at TIMESTAMPTZ,
    attempts INTEGER NOT NULL DEFAULT 0,
    finished_at TIMESTAMPTZ,
    engine TEXT,
    model TEXT,
    language TEXT,
    audio TEXT,
    code TEXT,
    message TEXT,
    segments JSONB,
    PRIMARY KEY (session_id, version)
);
CREATE INDEX ix_transcript_versions_generating ON transcript_versions (session_id) WHERE state = 'generating';
