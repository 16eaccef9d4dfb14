-- Revision 38. Frozen. Sessions of whose objects some may not be needed any more, until a worker has looked.
CREATE TABLE leftovers (
    session_id UUID NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_leftovers PRIMARY KEY (session_id)
);
CREATE INDEX ix_leftovers_due_at ON leftovers (due_at);
