-- Revision 29. Frozen. What was said and written goes into no statistics, which keep samples of it for as long as nobody
-- analyzes the table again, whoever has erased it. No query filters by these columns.
ALTER TABLE sessions ALTER COLUMN title SET STATISTICS 0, ALTER COLUMN prompt SET STATISTICS 0,
    ALTER COLUMN data SET STATISTICS 0, ALTER COLUMN metadata SET STATISTICS 0, ALTER COLUMN tags SET STATISTICS 0,
    ALTER COLUMN preview SET STATISTICS 0, ALTER COLUMN output_preview SET STATISTICS 0;
ALTER TABLE log_entries ALTER COLUMN text SET STATISTICS 0, ALTER COLUMN content SET STATISTICS 0,
    ALTER COLUMN words SET STATISTICS 0, ALTER COLUMN speaker SET STATISTICS 0;
ALTER TABLE transcript_versions ALTER COLUMN segments SET STATISTICS 0;
ALTER TABLE session_events ALTER COLUMN data SET STATISTICS 0;
ALTER TABLE events ALTER COLUMN facts SET STATISTICS 0, ALTER COLUMN session SET STATISTICS 0;
ALTER TABLE idempotency_keys ALTER COLUMN body SET STATISTICS 0;
