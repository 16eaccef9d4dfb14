"""The only place that moves a session along the table of `sessions.lifecycle`, with all that a move brings about."""
