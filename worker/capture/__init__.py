"""From a room's frames to placed records in the spool: the recorder, and the sources that a run records from.

It joins no room and ends no session: `worker.run` does.
"""
