"""What there is once in an installation."""

from sqlalchemy import Boolean, Column, Table, Text, Uuid, text

from store.database.tables.metadata import TIME, metadata

object_storage = Table(  # this installation's; one row, or none yet
    "object_storage",
    metadata,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    Column("id", Uuid, nullable=False),  # of the object `identity/{id}` that lies in it
    Column("adopted_at", TIME, nullable=False),
)

sweeps = Table(  # whose turn it is to sweep
    "sweeps",
    metadata,
    Column("concern", Text, primary_key=True),
    Column("swept_at", TIME, nullable=False),
)
