"""Sessions of whose objects some may not be needed any more."""

from pathlib import Path

from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    """Run the SQL beside this module."""
    ddl = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(ddl.replace("%", "%%"))
