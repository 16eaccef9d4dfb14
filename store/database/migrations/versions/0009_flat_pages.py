"""Indexes that keep every page of a list flat, whatever is archived, over, or somebody else's."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Run the SQL beside this module."""
    ddl = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(ddl.replace("%", "%%"))
