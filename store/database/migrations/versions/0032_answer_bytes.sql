-- Revision 32. Frozen. How many bytes of answers idempotency keys keep: sums by the hour, written by whoever keeps one.
-- Each connection to the server has a row of its own, so that nobody waits for another's transaction.
CREATE TABLE answer_bytes (
    organization_id UUID NOT NULL,
    hour TIMESTAMPTZ NOT NULL,
    writer SMALLINT NOT NULL,
    bytes BIGINT NOT NULL,
    CONSTRAINT pk_answer_bytes PRIMARY KEY (organization_id, hour, writer)
) WITH (fillfactor = 50);
INSERT INTO answer_bytes (organization_id, hour, writer, bytes)
SELECT organization_id, date_trunc('hour', created_at, 'UTC'), 0, sum(coalesce(octet_length(body), 0) + 512)
FROM idempotency_keys WHERE status IS NOT NULL GROUP BY 1, 2;
