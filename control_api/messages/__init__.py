"""Messages of a session over HTTP: list them, and post one. The session's worker then puts it into the room."""
