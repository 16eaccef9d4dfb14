"""What the groups of settings have in common: frozen, closed, silent about values, and with a reason per default."""

from pydantic import BaseModel, ConfigDict, JsonValue


class SettingsGroup(BaseModel):
    """Settings of one subject."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)


def why(reason: str) -> dict[str, JsonValue]:
    """Why a setting has its default; the last column of docs/settings.md."""
    return {"why": reason}
