-- Revision 9. Frozen. A page of a list reads its own rows and no others: not those that are archived (where most are), nor
-- those of the agent in other statuses (where most are), nor those of the customer that other agents have.

-- A session's shelf is its status and whether it is archived: one equality instead of two conditions, one of them IS NULL.
ALTER TABLE sessions ADD COLUMN shelf TEXT NOT NULL
    GENERATED ALWAYS AS (CASE WHEN archived_at IS NULL THEN status ELSE status || '/archived'::text END) STORED;

-- uuid_send(id) sorts as the id does, also with a constant behind it. Each index has a constant of its own, and a page asks
-- for the order of exactly the index that it is meant to be read from. So the planner can't walk the primary key, or a less
-- particular index, and hope to meet chosen sessions soon (measured: a million rows read for a page of 20).
DROP INDEX ix_sessions_newest, ix_sessions_status_newest, ix_sessions_agent_newest, ix_sessions_agent_archived_newest,
    ix_sessions_task_newest, ix_sessions_project_newest, ix_sessions_customer_newest, ix_sessions_archived_newest;
CREATE INDEX ix_sessions_all_newest ON sessions (organization_id, shelf, (uuid_send(id) || '\x00'::bytea) DESC);
CREATE INDEX ix_sessions_agent_newest ON sessions (organization_id, agent_id, shelf, (uuid_send(id) || '\x01'::bytea) DESC);
CREATE INDEX ix_sessions_task_newest ON sessions (organization_id, task_id, shelf, (uuid_send(id) || '\x02'::bytea) DESC) WHERE task_id IS NOT NULL;
CREATE INDEX ix_sessions_project_newest ON sessions (organization_id, project_id, shelf, (uuid_send(id) || '\x02'::bytea) DESC) WHERE project_id IS NOT NULL;
CREATE INDEX ix_sessions_customer_newest ON sessions (organization_id, external_customer_id, shelf, (uuid_send(id) || '\x02'::bytea) DESC) WHERE external_customer_id IS NOT NULL;
-- An agent's key filters by its agent beside whatever filter the request has.
CREATE INDEX ix_sessions_agent_task_newest ON sessions (organization_id, agent_id, task_id, shelf, (uuid_send(id) || '\x03'::bytea) DESC) WHERE task_id IS NOT NULL;
CREATE INDEX ix_sessions_agent_project_newest ON sessions (organization_id, agent_id, project_id, shelf, (uuid_send(id) || '\x03'::bytea) DESC) WHERE project_id IS NOT NULL;
CREATE INDEX ix_sessions_agent_customer_newest ON sessions (organization_id, agent_id, external_customer_id, shelf, (uuid_send(id) || '\x03'::bytea) DESC) WHERE external_customer_id IS NOT NULL;

-- The same for tags: their rows repeat the columns that a page filters by.
DROP TRIGGER sessions_tags_new ON sessions;
DROP TRIGGER sessions_tags_changed ON sessions;
DROP FUNCTION parley_index_tags;
DROP TABLE session_tags;
CREATE TABLE session_tags (
    session_id UUID NOT NULL,
    tag TEXT NOT NULL,
    organization_id UUID NOT NULL,
    agent_id TEXT NOT NULL,
    shelf TEXT NOT NULL,
    CONSTRAINT pk_session_tags PRIMARY KEY (session_id, tag),
    CONSTRAINT fk_session_tags_session_id FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE
);
INSERT INTO session_tags (session_id, tag, organization_id, agent_id, shelf)
SELECT DISTINCT id, tag, organization_id, agent_id, shelf FROM sessions, unnest(tags) AS tag;
CREATE INDEX ix_session_tags_newest ON session_tags (organization_id, tag, shelf, (uuid_send(session_id) || '\x00'::bytea) DESC);
CREATE INDEX ix_session_tags_agent_newest ON session_tags (organization_id, agent_id, tag, shelf, (uuid_send(session_id) || '\x01'::bytea) DESC);

CREATE FUNCTION parley_index_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM session_tags WHERE session_id = NEW.id AND tag <> ALL (NEW.tags);
    END IF;
    INSERT INTO session_tags (session_id, tag, organization_id, agent_id, shelf)
    SELECT DISTINCT NEW.id, tag, NEW.organization_id, NEW.agent_id, NEW.shelf FROM unnest(NEW.tags) AS tag
    ON CONFLICT (session_id, tag) DO UPDATE SET agent_id = excluded.agent_id, shelf = excluded.shelf
        WHERE (session_tags.agent_id, session_tags.shelf) IS DISTINCT FROM (excluded.agent_id, excluded.shelf);
    RETURN NULL;
END
$$;
CREATE TRIGGER sessions_tags_new AFTER INSERT ON sessions
    FOR EACH ROW WHEN (NEW.tags <> '{}') EXECUTE FUNCTION parley_index_tags();
CREATE TRIGGER sessions_tags_changed AFTER UPDATE ON sessions
    FOR EACH ROW WHEN (OLD.tags IS DISTINCT FROM NEW.tags OR (NEW.tags <> '{}' AND
        (OLD.shelf IS DISTINCT FROM NEW.shelf OR OLD.agent_id IS DISTINCT FROM NEW.agent_id)))
    EXECUTE FUNCTION parley_index_tags();

DROP INDEX ix_api_keys_organization_id;
CREATE INDEX ix_api_keys_newest ON api_keys (organization_id, id DESC);
CREATE INDEX ix_api_keys_agent_newest ON api_keys (organization_id, agent_id, id DESC) WHERE agent_id IS NOT NULL;
