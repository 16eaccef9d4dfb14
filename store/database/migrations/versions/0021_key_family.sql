-- Revision 21. Frozen. Which key made a key, and which one has taken its place; and whose an Idempotency-Key is: an agent
-- key's is its agent's ('': the organization's).
ALTER TABLE api_keys ADD COLUMN created_by UUID;
ALTER TABLE api_keys ADD CONSTRAINT fk_api_keys_created_by FOREIGN KEY (created_by) REFERENCES api_keys (id);
ALTER TABLE api_keys ADD COLUMN replaced_by UUID;
ALTER TABLE api_keys ADD CONSTRAINT fk_api_keys_replaced_by FOREIGN KEY (replaced_by) REFERENCES api_keys (id);
CREATE INDEX ix_api_keys_created_by ON api_keys (created_by) WHERE created_by IS NOT NULL;
ALTER TABLE idempotency_keys ADD COLUMN agent_id TEXT NOT NULL DEFAULT '';
ALTER TABLE idempotency_keys DROP CONSTRAINT pk_idempotency_keys;
ALTER TABLE idempotency_keys ADD CONSTRAINT pk_idempotency_keys PRIMARY KEY (organization_id, agent_id, route, key);
