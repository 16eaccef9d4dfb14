-- Revision 12. Frozen. Rows that give back: their range is in the recording's times, so it may begin where another does.
ALTER TABLE usage_events ADD COLUMN code TEXT;
ALTER TABLE usage_events DROP CONSTRAINT ck_usage_events_kind;
ALTER TABLE usage_events ADD CONSTRAINT ck_usage_events_kind
    CHECK (kind IN ('accrual', 'final') AND code IS NULL OR kind = 'credit' AND code IS NOT NULL AND credits <= 0);
ALTER TABLE usage_events DROP CONSTRAINT uq_usage_events_session_id_from_ms;
ALTER TABLE usage_events ADD CONSTRAINT uq_usage_events_session_id_from_ms
    UNIQUE NULLS NOT DISTINCT (session_id, from_ms, code);

ALTER TABLE sessions ADD COLUMN credited_ms BIGINT NOT NULL DEFAULT 0;
