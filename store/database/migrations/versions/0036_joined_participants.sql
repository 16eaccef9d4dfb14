-- Revision 36. Frozen. Who came into a session's room, for lists that show it: without its other events.
CREATE INDEX ix_session_events_joined ON session_events (session_id, seq) WHERE type = 'participant.joined';
