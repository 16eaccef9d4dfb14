"""Limits of organizations, fair claims."""

from pathlib import Path

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Run the SQL beside this module."""
    ddl = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(ddl.replace("%", "%%"))
