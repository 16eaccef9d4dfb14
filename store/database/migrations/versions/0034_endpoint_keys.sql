-- Revision 34. Frozen. The key that has made a webhook endpoint, or set its URL or its secret last: a revocation with
-- cascade disables what such a key directs. Null: the operator, or nobody knows (made by an earlier version).
ALTER TABLE webhook_endpoints ADD COLUMN directed_by UUID CONSTRAINT fk_webhook_endpoints_directed_by_api_keys
    REFERENCES api_keys (id);
ALTER TABLE webhook_endpoints DROP CONSTRAINT webhook_endpoints_disabled_reason_check;
ALTER TABLE webhook_endpoints ADD CONSTRAINT webhook_endpoints_disabled_reason_check
    CHECK (disabled_reason IN ('requested', 'gone', 'failing', 'key_revoked'));
