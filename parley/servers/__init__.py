"""Servers that we start on this machine ourselves: the embedded PostgreSQL, livekit-server, both with Parley."""
