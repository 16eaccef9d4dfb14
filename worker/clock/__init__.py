"""The session's clock as a worker reads it: the boot-time clock, paired once with PostgreSQL's, without pauses."""
