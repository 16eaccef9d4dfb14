"""Participants' files that lack something."""

from pathlib import Path

from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    """Run the SQL beside this module."""
    ddl = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(ddl.replace("%", "%%"))
