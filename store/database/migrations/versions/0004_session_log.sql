-- Revision 4. Frozen. One ordered log per session: messages and transcript segments.

CREATE TABLE log_entries (
    session_id UUID NOT NULL,
    seq INTEGER NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    role TEXT NOT NULL,
    speaker TEXT,
    identity TEXT,
    text TEXT NOT NULL,
    content JSONB,
    start_ms BIGINT,
    end_ms BIGINT,
    final BOOLEAN DEFAULT true NOT NULL,
    confidence FLOAT,
    words JSONB,
    source TEXT NOT NULL,
    external_id TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    delivered_at TIMESTAMPTZ,
    CONSTRAINT pk_log_entries PRIMARY KEY (session_id, seq),
    CONSTRAINT fk_log_entries_session_id FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE,
    CONSTRAINT uq_log_entries_external UNIQUE (session_id, source, external_id),
    CONSTRAINT ck_log_entries_kind CHECK (kind IN ('message', 'segment')),
    CONSTRAINT ck_log_entries_role CHECK (role IN ('user', 'assistant', 'system')),
    CONSTRAINT ck_log_entries_source CHECK (source IN ('api', 'lk.chat', 'lk.transcription', 'speech'))
);
-- Pages of one kind of entry, however many of the other kind lie between.
CREATE INDEX ix_log_entries_messages ON log_entries (session_id, seq) WHERE kind = 'message';
CREATE INDEX ix_log_entries_segments ON log_entries (session_id, seq) WHERE kind = 'segment';
-- Messages that a worker still has to put into the room.
CREATE INDEX ix_log_entries_undelivered ON log_entries (session_id, seq) WHERE source = 'api' AND delivered_at IS NULL;
