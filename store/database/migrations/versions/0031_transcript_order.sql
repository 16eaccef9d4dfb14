-- Revision 31. Frozen. Transcripts are read page by page, in the order of time.
-- Where an entry lies on the session's clock: `start_ms`, else when it was written, from the session's first sample.
ALTER TABLE log_entries ADD COLUMN at_ms BIGINT;
CREATE FUNCTION log_entry_at_ms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.at_ms := NEW.start_ms;
    IF NEW.at_ms IS NULL THEN
        SELECT greatest(floor(extract(epoch FROM NEW.created_at - started_at) * 1000), 0) INTO NEW.at_ms
        FROM sessions WHERE id = NEW.session_id;
        NEW.at_ms := coalesce(NEW.at_ms, 0);
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER log_entries_at_ms BEFORE INSERT ON log_entries FOR EACH ROW EXECUTE FUNCTION log_entry_at_ms();
UPDATE log_entries e SET at_ms = coalesce(
    e.start_ms,
    (SELECT greatest(floor(extract(epoch FROM e.created_at - s.started_at) * 1000), 0) FROM sessions s
     WHERE s.id = e.session_id),
    0
);
ALTER TABLE log_entries ALTER COLUMN at_ms SET NOT NULL;
CREATE INDEX ix_log_entries_time ON log_entries (session_id, at_ms, seq) WHERE final;
-- Whose words somebody else publishes.
CREATE INDEX ix_log_entries_published ON log_entries (session_id, identity) WHERE source = 'lk.transcription' AND final;
