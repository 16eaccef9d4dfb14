"""The settings: checked at the start, silent about secrets."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from sessions.settings import Settings

KEY = "k" * 32


def test_without_values_the_defaults_hold() -> None:
    """Each setting that is left out has its documented default."""
    settings = Settings()

    assert (settings.data_dir, settings.heartbeat_seconds, settings.stalled_seconds) == (Path(".parley"), 4, 15)
    assert (settings.queue_seconds, settings.takeover_window_seconds, settings.salvage_seconds) == (300, 600, 60)
    assert settings.database_url is None


@pytest.mark.parametrize(
    "values",
    [
        {"heartbeat_seconds": 5, "stalled_seconds": 14.9},
        {"heartbeat_seconds": 0},
        {"secret_key": "short"},
        {"operator_key": "short"},
        {"database_url": "postgresql://db/parley"},
        {"api_port": 70000},
        {"sessions_per_process": 0},
        {"log_level": "loud"},
        {"no_such_setting": 1},
    ],
)
def test_what_cannot_work_stops_the_start(values: dict[str, object]) -> None:
    """Beats that don't fit the stall, short or missing keys, values out of range, unknown names."""
    with pytest.raises(ValidationError):
        Settings(**values)


def test_errors_and_texts_do_not_show_secrets() -> None:
    """Not in the repr, not in the validation error."""
    settings = Settings(secret_key=KEY, database_url="postgresql://parley:hunter2@db/parley")
    with pytest.raises(ValidationError) as refused:
        Settings(secret_key="sh0rt-s3cret")

    assert KEY not in repr(settings)
    assert "hunter2" not in repr(settings)
    assert "sh0rt-s3cret" not in str(refused.value)


def test_settings_are_frozen() -> None:
    """Read once, passed down, changed nowhere."""
    with pytest.raises(ValidationError):
        Settings().queue_seconds = 1  # type: ignore[misc]
