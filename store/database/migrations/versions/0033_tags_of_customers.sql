-- Revision 33. Frozen. A page of sessions with a tag that are one customer's reads its own rows and no others: not all
-- that have the tag, of whomever (measured: 6 s where a million have it, and the customer has 25,000 without it).
ALTER TABLE session_tags ADD COLUMN external_customer_id TEXT;
UPDATE session_tags t SET external_customer_id = s.external_customer_id
FROM sessions s WHERE s.id = t.session_id AND s.external_customer_id IS NOT NULL;
CREATE INDEX ix_session_tags_customer_newest ON session_tags
    (organization_id, external_customer_id, tag, shelf, (uuid_send(session_id) || '\x02'::bytea) DESC)
    WHERE external_customer_id IS NOT NULL;
CREATE INDEX ix_session_tags_agent_customer_newest ON session_tags
    (organization_id, agent_id, external_customer_id, tag, shelf, (uuid_send(session_id) || '\x03'::bytea) DESC)
    WHERE external_customer_id IS NOT NULL;

CREATE OR REPLACE FUNCTION parley_index_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM session_tags WHERE session_id = NEW.id AND tag <> ALL (NEW.tags);
    END IF;
    INSERT INTO session_tags (session_id, tag, organization_id, agent_id, external_customer_id, shelf)
    SELECT DISTINCT NEW.id, tag, NEW.organization_id, NEW.agent_id, NEW.external_customer_id, NEW.shelf
    FROM unnest(NEW.tags) AS tag
    ON CONFLICT (session_id, tag) DO UPDATE
        SET agent_id = excluded.agent_id, external_customer_id = excluded.external_customer_id, shelf = excluded.shelf
        WHERE (session_tags.agent_id, session_tags.external_customer_id, session_tags.shelf)
            IS DISTINCT FROM (excluded.agent_id, excluded.external_customer_id, excluded.shelf);
    RETURN NULL;
END
$$;
DROP TRIGGER sessions_tags_changed ON sessions;
CREATE TRIGGER sessions_tags_changed AFTER UPDATE ON sessions
    FOR EACH ROW WHEN (OLD.tags IS DISTINCT FROM NEW.tags OR (NEW.tags <> '{}' AND
        (OLD.shelf IS DISTINCT FROM NEW.shelf OR OLD.agent_id IS DISTINCT FROM NEW.agent_id
            OR OLD.external_customer_id IS DISTINCT FROM NEW.external_customer_id)))
    EXECUTE FUNCTION parley_index_tags();
