"""What makes a sweep cheap: a table of turns, and indexes of what falls due."""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Run the SQL beside this module."""
    ddl = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(ddl.replace("%", "%%"))
