"""All settings in one: what `parley` reads once and passes down."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from sessions.settings.api_serving import ApiServing
from sessions.settings.destinations import Destinations
from sessions.settings.installation_keys import InstallationKeys
from sessions.settings.joining import Joining
from sessions.settings.keeping import Keeping
from sessions.settings.processes import Processes
from sessions.settings.recording import Recording
from sessions.settings.request_limits import RequestLimits
from sessions.settings.services import Services
from sessions.settings.session_times import SessionTimes
from sessions.settings.settings_group import why
from sessions.settings.storing import Storing

LogLevel = Literal["debug", "info", "warning", "error"]


# Pydantic takes the fields of the last base first, and docs/settings.md has them in that order.
class Settings(
    RequestLimits,
    Services,
    Destinations,
    Keeping,
    SessionTimes,
    Joining,
    Recording,
    Processes,
    InstallationKeys,
    ApiServing,
    Storing,
):
    """Every setting with its unit, default and reason. The environment spells them `PARLEY_<NAME>`."""

    log_level: LogLevel = Field(
        "info",
        description="Least severe log line that is printed.",
        json_schema_extra=why("Convention: one line per request, and the milestones of each session."),
    )

    @field_validator("log_level", "speech_engine", mode="before")
    @classmethod
    def _in_lower_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator(
        "secret_key", "cors_origins", "allow_room_networks", "webhook_ports", "webhook_retry_seconds", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _a_database_has_a_key(self) -> Self:
        if self.database_url is not None and not self.secret_key:
            raise ValueError("secret_key is required with a database_url: every process must have the same one")
        return self
