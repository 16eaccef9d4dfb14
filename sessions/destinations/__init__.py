"""Where customers send a worker: which URLs may be dialed, and what a room's token says without its secret."""
