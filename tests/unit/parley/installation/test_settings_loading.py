"""The settings as a process reads them: from its environment, whose other names it leaves alone."""

import os
from pathlib import Path

import pytest

from parley.command_error import CommandError
from parley.installation.settings_loading import load_settings, service_links, unknown_variables
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


@pytest.mark.parametrize("field", Settings.model_fields)
def test_an_empty_value_is_unset(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    """Compose's `${X:-}` leaves such ones, and so do templates of Helm."""
    monkeypatch.setenv(f"PARLEY_{field.upper()}", " ")

    assert load_settings() == Settings()


def test_words_may_be_in_upper_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """As other programs write them."""
    monkeypatch.setenv("PARLEY_LOG_LEVEL", "INFO")
    monkeypatch.setenv("PARLEY_SPEECH_ENGINE", "None")

    settings = load_settings()

    assert (settings.log_level, settings.speech_engine) == ("info", "none")


def _link_of(service: str) -> dict[str, str]:
    """What Kubernetes puts into every container of a namespace for a Service with a named port 8080."""
    return {
        f"{service}_SERVICE_HOST": "10.96.12.7",
        f"{service}_SERVICE_PORT": "8080",
        f"{service}_SERVICE_PORT_HTTP": "8080",
        f"{service}_PORT": "tcp://10.96.12.7:8080",
        f"{service}_PORT_8080_TCP": "tcp://10.96.12.7:8080",
        f"{service}_PORT_8080_TCP_PROTO": "tcp",
        f"{service}_PORT_8080_TCP_PORT": "8080",
        f"{service}_PORT_8080_TCP_ADDR": "10.96.12.7",
    }


@pytest.mark.parametrize("service", ["PARLEY_API", "PARLEY_WORKER"])
def test_a_service_link_is_ignored_with_one_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], service: str
) -> None:
    """A Service called parley-api would have both programs listen on `tcp://…`; the image's own port holds."""
    for name, value in _link_of(service).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(f"PARLEY_DEFAULT_{service.removeprefix('PARLEY_')}_PORT", "8081")

    settings = load_settings()

    assert {"PARLEY_API": settings.api_port, "PARLEY_WORKER": settings.worker_port}[service] == 8081
    [warning] = capsys.readouterr().err.splitlines()
    assert f"{service}_PORT" in warning
    assert "10.96.12.7" not in warning


def test_a_link_of_another_service_is_no_misspelt_setting() -> None:
    """Kubernetes names them, nobody mistyped anything; a name that only looks like one is warned of."""
    assert unknown_variables(_link_of("PARLEY")) == service_links(_link_of("PARLEY")) == []
    assert len(unknown_variables({"PARLEY_APO_PORT": "8080"})) == 1


def test_a_link_is_wrong_where_it_can_only_be_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only names that end in _PORT can be service links."""
    monkeypatch.setenv("PARLEY_PROCESSES", "tcp://10.96.12.7:8080")

    with pytest.raises(CommandError, match="PARLEY_PROCESSES"):
        load_settings()


def test_a_set_value_wins_over_the_images_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """The image's default is for what is unset only."""
    monkeypatch.setenv("PARLEY_DEFAULT_API_PORT", "8080")
    monkeypatch.setenv("PARLEY_API_PORT", "9000")

    assert load_settings().api_port == 9000


def test_a_secret_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the newline that editors leave; the variable's name is no misspelt one."""
    secret = tmp_path / "key"
    secret.write_text(f"{KEY}\n")
    monkeypatch.setenv("PARLEY_SECRET_KEY_FILE", str(secret))
    assert [key.get_secret_value() for key in load_settings().secret_key] == [KEY]
    assert unknown_variables({"PARLEY_SECRET_KEY_FILE": "x", "PARLEY_MASTER_KEY_FILE": "x"}) == []


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        (None, None, "PARLEY_SECRET_KEY_FILE can't be read"),
        ("", None, "PARLEY_SECRET_KEY_FILE names an empty file"),
        (KEY, KEY, "PARLEY_SECRET_KEY and PARLEY_SECRET_KEY_FILE are both set"),
    ],
)
def test_a_secret_that_cannot_be_had_from_its_file_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None, value: str | None, said: str
) -> None:
    """With the variable's name, and without the secret."""
    if text is not None:
        (tmp_path / "key").write_text(text)
    monkeypatch.setenv("PARLEY_SECRET_KEY_FILE", str(tmp_path / "key"))
    if value is not None:
        monkeypatch.setenv("PARLEY_SECRET_KEY", value)
    with pytest.raises(CommandError, match=said) as caught:
        load_settings()
    assert KEY not in str(caught.value)
