"""What every process of Parley needs before it starts: a database with today's schema, secrets, folders."""

from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr

from parley.command_error import CommandError
from parley.installation import secrets
from parley.servers.embedded_postgres import EmbeddedPostgres
from parley.servers.postgres_folder import PostgresFolder
from sessions.settings import Settings
from store.database.database_access import DatabaseAccess

Schema = Literal["migrate_embedded", "leave"]


@dataclass(frozen=True, slots=True)
class Installation:
    """Where this process finds everything.

    Attributes:
        settings: with absolute `data_dir`, a `storage_url` and a `secret_key`.
        database_url: for libpq.
        postgres: the hold on the embedded server; None with a cluster of the user's own.
    """

    settings: Settings
    database_url: SecretStr
    postgres: EmbeddedPostgres | None

    @property
    def storage_url(self) -> str:
        """Where objects are kept."""
        assert self.settings.storage_url is not None
        return self.settings.storage_url

    @property
    def database(self) -> DatabaseAccess:
        """How processes that go on reach the database: the embedded one is started again when it is gone."""
        settings = self.settings
        return DatabaseAccess(
            self.database_url, settings.database_timeout_seconds, settings.database_direct_url, self._reattach
        )

    def _reattach(self) -> None:
        """Start the embedded PostgreSQL again if it is gone. Blocking."""
        if self.postgres is not None:
            self.postgres.attach()


def open_existing_installation(settings: Settings) -> Installation:
    """As `open_installation`, for commands that look after an installation and must not begin another one.

    Raises:
        CommandError, EmbeddedPostgresError: no API or worker has ever run in `data_dir`, or as there.
    """
    if settings.database_url is None and not PostgresFolder(settings.data_dir.absolute()).cluster.is_dir():
        raise CommandError(
            f"there is no installation in {settings.data_dir.absolute()}: name its folder with PARLEY_DATA_DIR, or its"
            " database with PARLEY_DATABASE_URL (`parley dev`, `api` and `worker` begin a new one)"
        )
    return open_installation(settings)


def open_installation(settings: Settings, *, schema: Schema = "migrate_embedded") -> Installation:
    """Attach to the embedded PostgreSQL, or take the configured one.

    `migrate_embedded` brings the embedded database's schema up to date (several processes may, at once); `leave` is
    for children, whose parent has done it. A cluster of the user's own is never migrated here. Blocking.

    Raises:
        CommandError, EmbeddedPostgresError: with a sentence for the user.
    """
    data_dir = settings.data_dir.absolute()
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"PARLEY_DATA_DIR: {data_dir} can't be made: {error.strerror}") from error
    found = {
        "data_dir": data_dir,
        "storage_url": settings.storage_url or (data_dir / "objects").as_uri(),
        "secret_key": settings.secret_key or (secrets.secret_key(data_dir),),
    }
    settings = settings.model_copy(update=found)
    if settings.database_url is not None:
        return Installation(settings, settings.database_url, None)
    postgres = EmbeddedPostgres(data_dir)
    url = postgres.attach()
    if schema == "migrate_embedded":
        from store.database.server.schema import migrate  # Alembic takes its time to import, and children don't need it

        migrate(url)
    return Installation(settings, SecretStr(url), postgres)
