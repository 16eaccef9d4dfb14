-- Revision 6. Frozen. Every pause of a session: what lies between its stamps is neither stored nor billed.

CREATE TABLE session_pauses (
    session_id UUID NOT NULL,
    paused_at TIMESTAMPTZ NOT NULL,
    resumed_at TIMESTAMPTZ,
    CONSTRAINT pk_session_pauses PRIMARY KEY (session_id, paused_at),
    CONSTRAINT fk_session_pauses_session_id FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE,
    CONSTRAINT ck_session_pauses_order CHECK (resumed_at >= paused_at)
);
INSERT INTO session_pauses (session_id, paused_at) SELECT id, paused_at FROM sessions WHERE paused_at IS NOT NULL;
