"""LiveKit's room as the worker sees it: the SDK's events as values. Only its `livekit_*` modules know the SDK."""
