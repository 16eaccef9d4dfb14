"""The settings as a process reads them: from its environment, whose other names it leaves alone."""

import os

import pytest

from parley.installation.settings_loading import load_settings
from sessions.settings import Settings

KEY = "k" * 32


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PARLEY_")]:
        monkeypatch.delenv(name)


def test_without_an_environment_the_defaults_hold() -> None:
    """Nothing else is read: no file, no variable without the prefix."""
    assert load_settings() == Settings()


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets are split at commas and trimmed."""
    monkeypatch.setenv("PARLEY_SECRET_KEY", f"{KEY}, {'n' * 32}")
    monkeypatch.setenv("PARLEY_DATABASE_URL", "postgresql://db/parley")
    monkeypatch.setenv("PARLEY_API_PORT", "0")

    settings = load_settings()

    assert [key.get_secret_value() for key in settings.secret_key] == [KEY, "n" * 32]
    assert settings.api_port == 0


def test_every_kind_of_value_is_read_from_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers, switches, words and paths; a default has the type of a value that is read."""
    written = {
        "PARLEY_HEARTBEAT_SECONDS": "2.5",
        "PARLEY_PROCESSES": "3",
        "PARLEY_ALLOW_PRIVATE_HOSTS": "true",
        "PARLEY_LOG_LEVEL": "debug",
        "PARLEY_DATA_DIR": "/var/lib/parley",
        "parley_queue_seconds": "7",
    }
    for name, value in written.items():
        monkeypatch.setenv(name, value)

    settings = load_settings()

    assert (settings.heartbeat_seconds, settings.processes, settings.allow_private_hosts) == (2.5, 3, True)
    assert (settings.log_level, str(settings.data_dir), settings.queue_seconds) == ("debug", "/var/lib/parley", 7)
    assert isinstance(settings.stalled_seconds, float)
