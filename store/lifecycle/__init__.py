"""The only place that moves a session along the table of `sessions.lifecycle`, with the consequences of each move."""
