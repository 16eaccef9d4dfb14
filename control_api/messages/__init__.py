"""Messages of a session over HTTP: list them, and post one. The worker that is in the room puts it there."""
