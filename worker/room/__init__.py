"""LiveKit's room as the worker sees it: the SDK's events as values. Only `livekit` knows the SDK."""
