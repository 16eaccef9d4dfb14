"""What a session leaves behind: the frozen recording, the transcript, the summary."""
