"""Procrastinate's schema up to 3.4.

Its migration files are immutable, `schema.sql` is not: a later release of Procrastinate would change what this revision
means. Files that it adds later belong to a revision of their own.
"""

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"

NEWEST = "03.04.00_50_post_add_retry_failed_job_procedure.sql"


def upgrade() -> None:
    """Run the files in the order of their names."""
    files = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"), key=lambda file: file.name)
    assert NEWEST in [file.name for file in files]
    for file in files:
        if file.name <= NEWEST:
            op.get_bind().exec_driver_sql(file.read_text(encoding="utf-8").replace("%", "%%"))
