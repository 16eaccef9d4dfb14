"""Secrets of the installation itself."""

from pydantic import Field, SecretStr, field_validator

from sessions.settings.settings_group import SettingsGroup, why


class InstallationKeys(SettingsGroup):
    """Secrets of the installation itself."""

    secret_key: tuple[SecretStr, ...] = Field(
        (),
        description="1..n texts of ≥ 32 characters, comma-separated, newest first: encrypts tokens, signs links.",
        json_schema_extra=why(
            "The embedded database gets a key of its own at the first start (`secret.key` in the"
            " data folder, mode 0600). With a database_url there is none, because every process"
            " must have the same."
        ),
    )
    master_key: SecretStr | None = Field(
        None,
        description="A master API key accepted from the first start.",
        json_schema_extra=why(
            "A default would be a hole. Without it the first start of the API makes a key and prints it once."
        ),
    )
    operator_key: SecretStr | None = Field(
        None,
        description="≥ 32 characters: the key with which GET /v1/operator/overview shows the installation in numbers.",
        json_schema_extra=why("A default would be a hole. Without it there is no such page."),
    )

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(part.get_secret_value()) < 32 for part in value):
            raise ValueError("each key needs at least 32 characters")
        return value

    @field_validator("operator_key")
    @classmethod
    def _not_guessed(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 32:
            raise ValueError("it needs at least 32 characters")
        return value
