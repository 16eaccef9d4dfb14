"""What Parley keeps: tables and queries, claims and runs, jobs, recordings in object storage, tokens in a vault.

PostgreSQL is the engine (design.md §1): the session's row is the work, its lock is the queue, its clock is the clock.
This package doesn't serve HTTP, doesn't join rooms and doesn't decode audio.
"""
