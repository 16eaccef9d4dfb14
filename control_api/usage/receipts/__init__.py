"""What a session costs and why, over HTTP: clock, recording, gaps and rows of the bill side by side."""
