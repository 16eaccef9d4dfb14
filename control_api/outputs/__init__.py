"""What a session leaves, over HTTP: recordings, transcripts and summaries."""
