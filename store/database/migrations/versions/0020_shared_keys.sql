-- Revision 20. Frozen. The key of a room's end-to-end encryption, in the row of the customer's token, with which it is
-- erased; and whether a session has, or had, one.
ALTER TABLE worker_tokens ADD COLUMN sealed_shared_key BYTEA;
ALTER TABLE sessions ADD COLUMN e2ee BOOLEAN NOT NULL DEFAULT false;
