-- Revision 35. Frozen. Which sessions of an organization ended when: what checks its bills reads a period's, and no others.
CREATE INDEX ix_sessions_organization_finished ON sessions (organization_id, finished_at)
    WHERE kind = 'voice' AND started_at IS NOT NULL AND finished_at IS NOT NULL;
