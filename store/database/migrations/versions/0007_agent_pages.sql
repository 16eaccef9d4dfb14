-- Revision 7. Frozen. What an agent's key pages through: its archived sessions, and its part of the bill.

CREATE INDEX ix_sessions_agent_archived_newest ON sessions (organization_id, agent_id, id DESC) WHERE archived_at IS NOT NULL;
CREATE INDEX ix_usage_events_agent_tail ON usage_events (organization_id, agent_id, recorded_at, id);
