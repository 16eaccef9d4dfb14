"""LiveKit's SDK: everything in the worker that loads it is here, behind the types of `worker.room`."""
