"""What a session leaves, made from its segments: the recording, the transcript, the summary. It joins no room."""
