"""The database as a server: who it is, what it must be able to do, on which terms we connect, and its schema."""
