-- Revision 14. Frozen. When the process that runs a request with an Idempotency-Key last said so.
-- The default serves processes of the last release, which do not write the column.
ALTER TABLE idempotency_keys ADD COLUMN renewed_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp();
