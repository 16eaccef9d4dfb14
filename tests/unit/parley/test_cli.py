"""The command line as its users meet it."""

import argparse
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from parley import cli
from parley.arguments import services
from parley.command_error import CommandError
from parley.installation import secrets
from parley.installation.settings_loading import load_settings, unknown_variables
from sessions.errors import ParleyError
from tests.support.running.stack import PARLEY

COMMANDS = [
    "api",
    "worker",
    "dev",
    "demo",
    "demo talkers",
    "migrate",
    "keys",
    "keys create",
    "keys list",
    "keys revoke",
    "keys rotate",
]
COMMANDS += [
    "organizations",
    "organizations limits",
    "usage",
    "usage verify",
    "usage export",
    "storage",
    "storage check",
    "storage adopt",
]
COMMANDS += ["events", "events tail", "listen", "trigger"]
COMMANDS += ["login", "logout", "completion", "sessions"]
COMMANDS += [
    f"sessions {action}" for action in ["create", "list", "get", "end", "cancel", "pause", "resume", "tail", "download"]
]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PARLEY_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_has_a_help_text(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what the command does, and exits with 0."""
    with pytest.raises(SystemExit) as ended:
        cli.main([*command.split(), "--help"])
    assert ended.value.code == 0
    assert len(capsys.readouterr().out.split()) > 20


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["session", "list"], "argument COMMAND: invalid choice: 'session'; did you mean sessions?"),
        (["sessions", "lst"], "invalid choice: 'lst'; did you mean list?"),
        (["sessions", "create", "--room", "r", "--layout", "sterio"], "invalid choice: 'sterio'; did you mean stereo?"),
        (["usage", "zzz"], "invalid choice: 'zzz' (choose from "),
    ],
)
def test_a_misspelt_word_is_answered_with_the_nearest_one(
    argv: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where none is near, with all there are."""
    with pytest.raises(SystemExit) as ended:
        cli.main(argv)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_the_children_of_the_worker_are_not_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody should start them by hand."""
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    listed = capsys.readouterr().out
    assert "worker" in listed
    assert "nursery" not in listed
    with pytest.raises(SystemExit):
        cli.main(["fly"])
    complaint = capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        cli.main(["nursery", "--help"])
    assert ended.value.code == 0
    assert "worker" in complaint
    assert "nursery" not in complaint


@pytest.mark.parametrize("arguments", [[], ["fly"], ["keys"], ["keys", "revoke"], ["usage"], ["nursery", "--fd", "x"]])
def test_a_wrong_command_line_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """As every program does."""
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: parley")


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [(CommandError("no port"), 1), (CommandError("no port", exit_code=2), 2), (ParleyError("internal", "no port"), 1)],
)
def test_an_error_is_one_line_and_an_exit_code(
    error: Exception, exit_code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback for what the user can mend."""
    assert _run(error, monkeypatch) == exit_code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("parley: ")
    assert captured.err.count("\n") == 1


def test_an_error_holds_no_secret(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's and LiveKit's texts may."""
    _run(CommandError("can't reach postgresql://parley:hunter2@db/parley"), monkeypatch)
    assert "hunter2" not in capsys.readouterr().err


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is meant for users is shortened."""
    with pytest.raises(ZeroDivisionError):
        _run(ZeroDivisionError(), monkeypatch)


def _run(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    def fail(_arguments: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr(services, "_run_migrate", fail)
    before = os.umask(0o022)
    try:
        return cli.main(["migrate"])
    finally:
        os.umask(before)


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_the_completion_script_knows_commands_and_not_the_children(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is made from the parser."""
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "download" in script
    assert "nursery" not in script


def test_bash_completes_commands_options_choices_and_paths(tmp_path: Path) -> None:
    """As bash itself sees it."""
    asked = "COMP_WORDS=({words} ''); COMP_CWORD={last}; _shtab_parley; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    script = subprocess.run([PARLEY, "completion", "bash"], capture_output=True, text=True, check=True).stdout
    for words, expected in [("parley", "sessions"), ("parley sessions", "tail"), ("parley completion", "zsh")]:
        line = asked.format(words=words, last=len(words.split()))
        offered = subprocess.run(["bash", "-c", script + line], capture_output=True, text=True, check=True).stdout
        assert expected in offered.split(), (words, offered)
    (tmp_path / "a.wav").touch()
    line = asked.format(words="parley sessions download x --output", last=5)
    offered = subprocess.run(
        ["bash", "-c", script + line], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert "a.wav" in offered.split()


def test_what_customers_run_loads_none_of_the_servers_libraries() -> None:
    """It starts in a third of a second."""
    code = (
        "import sys, parley.cli, parley.api_commands.tail, parley.api_commands.listen;"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "aiohttp" in loaded
    heavy = {"store", "worker", "control_api", "livekit", "numpy", "sqlalchemy", "psycopg", "pydantic", "cryptography"}
    assert heavy.isdisjoint(loaded)


def test_wrong_settings_are_named_without_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each variable as the user wrote it, and why; the value may be a secret."""
    monkeypatch.setenv("PARLEY_API_PORT", "hunter2")
    monkeypatch.setenv("PARLEY_SECRET_KEY", "shortsecret")
    with pytest.raises(CommandError) as raised:
        load_settings()
    text = str(raised.value)
    assert "PARLEY_API_PORT" in text
    assert "PARLEY_SECRET_KEY: each key needs at least 32 characters" in text
    assert "hunter2" not in text
    assert "shortsecret" not in text


def test_settings_that_do_not_fit_together_are_named_as_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule over two of them says which."""
    monkeypatch.setenv("PARLEY_DATABASE_URL", "postgresql://parley:hunter2@db/parley")
    with pytest.raises(CommandError) as raised:
        load_settings()
    assert "PARLEY_SECRET_KEY is required with a PARLEY_DATABASE_URL:" in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("PARLEY_HARTBEAT_SECONDS", "PARLEY_HEARTBEAT_SECONDS"),
        ("PARLEY_SPEECH_ENGIN", "PARLEY_SPEECH_ENGINE"),
        ("PARLEY_SUMMARY_MODELL", "PARLEY_SUMMARY_MODEL"),
    ],
)
def test_a_misspelt_variable_is_pointed_out(misspelt: str, meant: str) -> None:
    """It would be ignored silently."""
    [warning] = unknown_variables({misspelt: "1", "PARLEY_API_PORT": "1", "PATH": "", "PARLEY_TEST_X": ""})
    assert warning == f"{misspelt} is no setting and is ignored; did you mean {meant}?"


def test_what_the_readme_exports_for_curl_is_no_misspelt_setting() -> None:
    """Commands of `parley` run in the same shell."""
    assert unknown_variables({"PARLEY_URL": "http://127.0.0.1:8080", "PARLEY_KEY": "parley_master_x"}) == []


def test_the_secret_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    """A second start finds the first one's."""
    first = secrets.secret_key(tmp_path / "data")
    again = secrets.secret_key(tmp_path / "data")
    [file] = (tmp_path / "data").iterdir()
    assert first.get_secret_value() == again.get_secret_value()
    assert len(first.get_secret_value()) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_master_keys_have_256_bits(tmp_path: Path) -> None:
    """`parley_master_` and 43 url-safe characters."""
    key = secrets.new_master_key().get_secret_value()
    assert key.startswith("parley_master_")
    assert len(key) == len("parley_master_") + 43


@pytest.mark.parametrize(
    ("to", "said"),
    [("> /dev/full", "the output cannot be written: No space left on device"), (">&-", "stdout is closed")],
)
def test_output_that_nobody_gets_is_one_line_and_a_failure(to: str, said: str) -> None:
    """A full disk, and a closed descriptor."""
    script = f"'{PARLEY}' completion bash {to}"
    ended = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (1, f"parley: {said}\n")
