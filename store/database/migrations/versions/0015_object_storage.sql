-- Revision 15. Frozen. The id of the object that lies in this installation's object storage; one row, or none yet.
CREATE TABLE object_storage (
    single BOOLEAN DEFAULT true NOT NULL,
    id UUID NOT NULL,
    adopted_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_object_storage PRIMARY KEY (single),
    CONSTRAINT ck_object_storage_single CHECK (single)
);
