-- Revision 19. Frozen. Erased sessions whose objects may still be in the storage; a row goes when nothing is left.
CREATE TABLE erasures (
    session_id UUID NOT NULL,
    erased_at TIMESTAMPTZ NOT NULL,
    next_at TIMESTAMPTZ NOT NULL,
    failures INTEGER DEFAULT 0 NOT NULL,
    cause TEXT,
    CONSTRAINT pk_erasures PRIMARY KEY (session_id)
);
CREATE INDEX ix_erasures_next_at ON erasures (next_at);
