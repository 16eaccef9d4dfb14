-- Revision 3. Frozen. One index per list filter. Without it, a page of a rare value reads every session of the organization
-- (measured at 1,000,000 rows: 130 to 350 ms without, under 4 ms with it).

CREATE INDEX ix_sessions_agent_newest ON sessions (organization_id, agent_id, id DESC);
CREATE INDEX ix_sessions_task_newest ON sessions (organization_id, task_id, id DESC) WHERE task_id IS NOT NULL;
CREATE INDEX ix_sessions_project_newest ON sessions (organization_id, project_id, id DESC) WHERE project_id IS NOT NULL;
CREATE INDEX ix_sessions_customer_newest ON sessions (organization_id, external_customer_id, id DESC) WHERE external_customer_id IS NOT NULL;
CREATE INDEX ix_sessions_archived_newest ON sessions (organization_id, id DESC) WHERE archived_at IS NOT NULL;

-- Tags in a table of their own: an index on the array has no order, so a page of it would read every match or, where the
-- planner misjudges, every session.
CREATE TABLE session_tags (
    organization_id UUID NOT NULL,
    tag TEXT NOT NULL,
    session_id UUID NOT NULL,
    CONSTRAINT pk_session_tags PRIMARY KEY (organization_id, tag, session_id),
    CONSTRAINT fk_session_tags_session_id FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE
);
CREATE INDEX ix_session_tags_session_id ON session_tags (session_id);

CREATE FUNCTION parley_index_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM session_tags WHERE session_id = NEW.id AND tag <> ALL (NEW.tags);
    END IF;
    INSERT INTO session_tags (organization_id, tag, session_id)
    SELECT DISTINCT NEW.organization_id, tag, NEW.id FROM unnest(NEW.tags) AS tag ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER sessions_tags_new AFTER INSERT ON sessions
    FOR EACH ROW WHEN (NEW.tags <> '{}') EXECUTE FUNCTION parley_index_tags();
CREATE TRIGGER sessions_tags_changed AFTER UPDATE OF tags ON sessions
    FOR EACH ROW WHEN (OLD.tags IS DISTINCT FROM NEW.tags) EXECUTE FUNCTION parley_index_tags();
INSERT INTO session_tags (organization_id, tag, session_id)
SELECT DISTINCT organization_id, tag, id FROM sessions, unnest(tags) AS tag;
