"""Where rows and recordings are kept: the data folder, PostgreSQL, the object storage."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from sessions.settings.settings_group import SettingsGroup, why

StorageLinks = Literal["storage", "api"]


class Storing(SettingsGroup):
    """Where rows and recordings are kept: the data folder, PostgreSQL, the object storage."""

    data_dir: Path = Field(
        Path(".parley"),
        description="Folder of the embedded database, spool and local objects.",
        json_schema_extra=why("Convention: everything that is tried out stays in the folder where it was tried."),
    )
    database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL ≥ 17 (postgresql://…). Unset: embedded.",
        json_schema_extra=why("`make demo` and `make dev` need no database of yours; a fleet sets it."),
    )
    database_direct_url: SecretStr | None = Field(
        None,
        description="libpq URL of the database past a pooler (PgBouncer in transaction mode). Unset: there is none.",
        json_schema_extra=why(
            "LISTEN does not work through such a pooler; without this everything is polled, a second"
            " later. `parley migrate` takes it, too. One connection per process that listens: APIs, recorders, and a"
            " worker's processes for jobs, speech and webhooks while they run."
        ),
    )
    database_timeout_seconds: float = Field(
        3,
        gt=0,
        description="Seconds that a request waits for the database, in all that it asks together.",
        json_schema_extra=why(
            "Convention: a client hears of an outage while it still waits. The bound holds whatever the database does."
            " The database itself stops a statement after 10 s, and 1 s after nobody waits for it any more."
        ),
    )
    idempotency_lease_seconds: float = Field(
        5,
        ge=3,
        description="Seconds after which the Idempotency-Key of a request whose process has died is free again.",
        json_schema_extra=why(
            "A process renews its keys every second, so that four renewals may fail. A repetition of a request that"
            " died with its process waits no longer than this and 2 s more."
        ),
    )
    storage_url: str | None = Field(
        None,
        description="file:///…, s3://bucket/prefix, gs://…, az://…. Unset: data_dir/objects.",
        json_schema_extra=why("One host needs nothing else. Several hosts need a storage that all of them reach."),
    )
    storage_public_url: str | None = Field(
        None,
        description="Endpoint under which clients reach an S3 storage (http…, without the bucket); links name it."
        " Unset: the endpoint that Parley itself uses.",
        json_schema_extra=why(
            "Right where both reach the storage by one name. A link's signature covers the host, so that nobody can"
            " exchange it afterwards."
        ),
    )
    storage_links: StorageLinks = Field(
        "storage",
        description="Who serves recordings: storage, by links that it signs, or api, which reads them there and passes"
        " them on. Local storages are always served by the API.",
        json_schema_extra=why(
            "A storage serves large files better than an API does. `api` is for storages that clients don't reach, and"
            " for those that can't sign."
        ),
    )

    @field_validator("database_url", "database_direct_url")
    @classmethod
    def _for_libpq(cls, value: SecretStr | None) -> SecretStr | None:
        scheme, separator, _ = ("", "", "") if value is None else value.get_secret_value().partition("://")
        if separator and scheme not in ("postgresql", "postgres"):
            driver = ", without the driver's name that SQLAlchemy puts there" if "+" in scheme else ""
            raise ValueError(f"it must begin with postgresql://{driver}")
        return value
