"""What Parley keeps: tables and queries, claims and runs, jobs, recordings in object storage, tokens in a vault.

PostgreSQL does the coordinating: a session's row is the work item, the lock of the row is the queue, and PostgreSQL's
clock is the only one that counts. This package serves no HTTP, joins no rooms and decodes no audio.
"""
