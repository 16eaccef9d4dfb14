"""Alembic's environment and revisions of the one schema. `store.schema.migrate` is the only way in."""
