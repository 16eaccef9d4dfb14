"""Alembic's environment and revisions of the one schema. `store.database.schema.migrate` is the only way in."""
