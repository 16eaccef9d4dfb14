-- Revision 8. Frozen. What is made from a session after its end: the transcript as it was closed, and its summary.

CREATE TABLE transcripts (
    session_id UUID NOT NULL,
    state TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    attempted_at TIMESTAMPTZ,
    attempts INTEGER DEFAULT 0 NOT NULL,
    finished_at TIMESTAMPTZ,
    engine TEXT,
    model TEXT,
    language TEXT,
    code TEXT,
    message TEXT,
    object_key TEXT,
    CONSTRAINT pk_transcripts PRIMARY KEY (session_id),
    CONSTRAINT fk_transcripts_session_id FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE,
    CONSTRAINT ck_transcripts_state CHECK (state IN ('pending', 'available', 'incomplete'))
);
CREATE INDEX ix_transcripts_pending ON transcripts (session_id) WHERE state = 'pending';

CREATE TABLE summaries (
    session_id UUID NOT NULL,
    run_id UUID NOT NULL,
    state TEXT NOT NULL,
    requested_at TIMESTAMPTZ NOT NULL,
    attempted_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ,
    transcript_sha256 TEXT,
    code TEXT,
    message TEXT,
    stored_sha256 TEXT,
    object_key TEXT,
    CONSTRAINT pk_summaries PRIMARY KEY (session_id),
    CONSTRAINT fk_summaries_session_id FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE,
    CONSTRAINT ck_summaries_state CHECK (state IN ('generating', 'available', 'failed'))
);
CREATE INDEX ix_summaries_generating ON summaries (session_id) WHERE state = 'generating';
