"""What a session left behind, in an envelope of its own: status, audio, transcript and summary by the session's key."""
