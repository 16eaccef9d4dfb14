-- Revision 37. Frozen. A participant's file that lacks what was lost between the recording's commit and its making.
ALTER TABLE recording_files DROP CONSTRAINT ck_recording_files_state;
ALTER TABLE recording_files ADD CONSTRAINT ck_recording_files_state
    CHECK (state IN ('pending', 'available', 'incomplete', 'failed'));
