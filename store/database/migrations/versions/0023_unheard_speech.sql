-- Revision 23. Frozen. Why a segment has no text: somebody spoke, and the engine could not tell what.
ALTER TABLE log_entries ADD COLUMN reason TEXT;
