-- Revision 26. Frozen. Limits of organizations, and the indexes that fair claims and exact quotas read.
ALTER TABLE organizations ADD COLUMN limits JSONB NOT NULL DEFAULT '{}';
CREATE INDEX ix_sessions_queued_fairly ON sessions (organization_id, agent_id, id)
    WHERE kind = 'voice' AND status = 'queued';
CREATE INDEX ix_sessions_load ON sessions (organization_id, status, agent_id)
    WHERE kind = 'voice' AND status IN ('created', 'queued', 'starting', 'running', 'paused');
