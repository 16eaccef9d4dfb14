"""Run by Alembic: every revision in one transaction, under a lock that admits one migration at a time."""

from alembic import context
from sqlalchemy import text

from store.database.server.schema import MIGRATION_LOCK
from store.database.tables import metadata

connection = context.config.attributes["connection"]
connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
context.configure(connection=connection, target_metadata=metadata)
context.run_migrations()
