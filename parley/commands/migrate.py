"""`parley migrate`."""

import psycopg
from sqlalchemy.exc import OperationalError

from parley.command_error import CommandError
from parley.installation.installation import open_installation
from parley.installation.logging import configure_logging
from parley.installation.settings_loading import load_settings
from store.database.schema import migrate, newest_revision


def run_migrate() -> int:
    """Bring the schema up to date and say so.

    Raises:
        CommandError: the database can't be reached, or refuses.
    """
    settings = load_settings()
    configure_logging(settings.log_level, process="migrate")
    installation = open_installation(settings, schema="leave")
    try:
        migrate(settings.database_direct_url or installation.database_url)
    except (psycopg.OperationalError, OperationalError) as error:
        raise CommandError(f"the database can't be migrated: {_first_line(error)}") from error
    print(f"The database schema is at revision {newest_revision()}.")
    return 0


def _first_line(error: Exception) -> str:
    return str(error.__cause__ or error).partition("\n")[0]
