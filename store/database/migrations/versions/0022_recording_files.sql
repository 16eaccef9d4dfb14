-- Revision 22. Frozen. What a recording is kept as besides its WAV file: other forms of it, a file per participant.
ALTER TABLE sessions ADD COLUMN formats TEXT[] NOT NULL DEFAULT '{}';
ALTER TABLE sessions ADD COLUMN track_files BOOLEAN NOT NULL DEFAULT false;
CREATE TABLE recording_files (
    session_id UUID NOT NULL,
    identity TEXT NOT NULL,
    format TEXT NOT NULL,
    state TEXT NOT NULL,
    requested_at TIMESTAMPTZ NOT NULL,
    attempted_at TIMESTAMPTZ,
    attempts INTEGER DEFAULT 0 NOT NULL,
    object_key TEXT,
    sha256 TEXT,
    size_bytes BIGINT,
    CONSTRAINT pk_recording_files PRIMARY KEY (session_id, identity, format),
    CONSTRAINT fk_recording_files_session_id FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE,
    CONSTRAINT ck_recording_files_state CHECK (state IN ('pending', 'available', 'failed'))
);
CREATE INDEX ix_recording_files_pending ON recording_files (session_id) WHERE state = 'pending';
