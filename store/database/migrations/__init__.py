"""Alembic's environment and revisions of the one schema. `store.database.server.schema.migrate` is the only way in."""
