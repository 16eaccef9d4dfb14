"""`parley migrate`."""

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from parley.command_error import CommandError
from parley.installation.installation import open_installation
from parley.installation.logging import configure_logging
from parley.installation.settings_loading import load_settings
from store.database.server.examination import examine, first_line
from store.database.server.schema import migrate, newest_revision


def run_migrate() -> int:
    """Bring the schema up to date and say so.

    Raises:
        CommandError: the database can't be reached, is none that Parley can work on, or refuses.
    """
    settings = load_settings()
    configure_logging(settings.log_level, process="migrate")
    installation = open_installation(settings, schema="leave")
    url = settings.database_direct_url or installation.database_url
    for finding in examine(url.get_secret_value()):
        if finding.essential and not finding.good:
            raise CommandError(f"the database can't be migrated: {finding.text}")
    try:
        migrate(url)
    except (psycopg.Error, SQLAlchemyError) as error:
        said = first_line(error.__cause__ or error)
        raise CommandError(f"the database can't be migrated: {said}. `parley doctor` says more.") from error
    print(f"The database schema is at revision {newest_revision()}.")
    return 0
