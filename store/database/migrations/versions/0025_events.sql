-- Revision 25. Frozen. Each organization's log of events, in one order without a hole, which outlives its sessions.

-- What transactions append. Rows are numbered, and moved into `events`, when they have been committed.
CREATE TABLE event_inbox (
    ord BIGINT GENERATED ALWAYS AS IDENTITY,
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    session_id UUID,
    agent_id TEXT,
    seq INTEGER,
    type TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    facts JSONB NOT NULL,
    session JSONB,
    CONSTRAINT pk_event_inbox PRIMARY KEY (ord)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

CREATE TABLE event_logs (
    organization_id UUID NOT NULL,
    last_position BIGINT NOT NULL,
    expired_through BIGINT DEFAULT 0 NOT NULL,
    CONSTRAINT pk_event_logs PRIMARY KEY (organization_id)
);

CREATE TABLE events (
    organization_id UUID NOT NULL,
    position BIGINT NOT NULL,
    id UUID NOT NULL,
    session_id UUID,
    agent_id TEXT,
    seq INTEGER,
    type TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    facts JSONB NOT NULL,
    session JSONB,
    CONSTRAINT pk_events PRIMARY KEY (organization_id, position)
);
-- A page asks for the order of exactly the index that it is meant to be read from, as lists of sessions do (revision 9).
CREATE INDEX ix_events_agent ON events (organization_id, agent_id, (position + 0)) WHERE agent_id IS NOT NULL;
CREATE INDEX ix_events_session ON events (session_id, (position + 1)) WHERE session_id IS NOT NULL;

-- Number what has been committed, at most so many; how many it were. One at a time: the lock is kept until what was numbered
-- can be seen, so a position can't be seen before those below it. `ord` keeps the order within a session, whose row whoever
-- appends has locked; between sessions any order will do.
CREATE FUNCTION number_events(most INTEGER) RETURNS INTEGER LANGUAGE plpgsql AS $$
DECLARE
    numbered INTEGER;
BEGIN
    IF NOT EXISTS (SELECT FROM event_inbox) THEN
        RETURN 0;
    END IF;
    PERFORM pg_advisory_xact_lock(111559182283891);
    WITH moved AS (
        DELETE FROM event_inbox WHERE ord IN (SELECT ord FROM event_inbox ORDER BY ord LIMIT most) RETURNING *
    ), counted AS (
        SELECT organization_id, count(*) AS number FROM moved GROUP BY organization_id
    ), logs AS (
        INSERT INTO event_logs AS l (organization_id, last_position) SELECT organization_id, number FROM counted
        ON CONFLICT (organization_id) DO UPDATE SET last_position = l.last_position + excluded.last_position
        RETURNING organization_id, last_position
    )
    INSERT INTO events (organization_id, position, id, session_id, agent_id, seq, type, at, recorded_at, facts, session)
    SELECT m.organization_id,
        l.last_position - c.number + row_number() OVER (PARTITION BY m.organization_id ORDER BY m.ord),
        m.id, m.session_id, m.agent_id, m.seq, m.type, m.at, clock_timestamp(), m.facts, m.session
    FROM moved m JOIN counted c USING (organization_id) JOIN logs l USING (organization_id);
    GET DIAGNOSTICS numbered = ROW_COUNT;
    RETURN numbered;
END
$$;
