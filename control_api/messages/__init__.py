"""Messages into a room and the log of them over HTTP. The room itself is the worker's."""
