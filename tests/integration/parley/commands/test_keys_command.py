"""`parley keys`, on a real database."""

import asyncio
import os
import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from parley import cli
from store.access.api_keys import ApiKeys, Principal
from store.database.database import Database
from tests.support.running.stack import PARLEY

AGENT_KEY = ["--kind", "agent", "--agent", "agent_a", "--scope", "sessions:read", "--scope", "usage:read"]


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: object) -> None:
    for name, value in {"DATABASE_URL": database_url, "SECRET_KEY": "s" * 40, "DATA_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(f"PARLEY_{name}", value)


def _principal(url: str, secret: str) -> Principal:
    async def authenticate() -> Principal:
        async with Database.open(url, timeout_seconds=10, application_name="test") as db:
            return await ApiKeys(db).authenticate(secret)

    return asyncio.run(authenticate())


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(["keys", *arguments]) == 0
    return capsys.readouterr().out.strip()


def test_an_agent_key_is_made_listed_rotated_and_revoked(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The secret is all of stdout; the list shows agent, scopes and expiry; both keys work after a rotation."""
    made = _run(capsys, "create", "--organization", "acme", *AGENT_KEY, "--expires-at", "2099-01-01T00:00:00Z")
    assert re.fullmatch(r"parley_agent_[\w-]{43}", made)
    principal = _principal(database_url, made)
    assert principal.agent_id == "agent_a"
    assert principal.scopes == {"sessions:read", "usage:read"}
    [line] = _run(capsys, "list", "--organization", "acme").splitlines()
    for shown in ("agent=agent_a", "scopes=sessions:read,usage:read", "expires=2099-01-01T00:00:00.000Z", "valid"):
        assert shown in line
    key_id = line.split()[0]
    rotated = _run(capsys, "rotate", key_id, "--grace-seconds", "600")
    assert _principal(database_url, rotated).scopes == principal.scopes
    in_grace = _principal(database_url, made)
    assert replace(in_grace, expires_at=principal.expires_at) == replace(principal, replaced=True)
    assert in_grace.expires_at is not None
    assert timedelta(0) < in_grace.expires_at - datetime.now(UTC) <= timedelta(seconds=600)
    new_id = _run(capsys, "list").split()[0]
    _run(capsys, "revoke", key_id)
    lines = [line.split() for line in _run(capsys, "list").splitlines()]
    assert [line[4] for line in lines] == ["valid", "revoked"]
    assert f"replaced-by={new_id}" in lines[1]


def test_a_name_is_no_line_of_its_own(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor does it reach the terminal as a command."""
    _run(capsys, "create", "--organization", "acme", "--name", "Zoë\nkey_1  acme  master  \x1b[2J\rvalid")
    [line] = _run(capsys, "list").splitlines()
    assert line.endswith("  Zoë\ufffdkey_1  acme  master  \ufffd[2J\ufffdvalid")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["create", "--kind", "agent"], "--agent"),
        (["create", "--agent", "agent_a"], "leave --agent"),
        (["create", "--expires-at", "tomorrow"], "such as"),
        (["create", "--expires-at", "2020-01-01T00:00:00Z"], "ahead"),
        (["rotate", "key_01KB2F5W2Q4V9M7T8Y6R3N1C0A"], "no such API key"),
        (["rotate", "key_01KB2F5W2Q4V9M7T8Y6R3N1C0A", "--grace-seconds", "-1"], "--grace-seconds"),
    ],
)
def test_what_makes_no_sense_is_one_line_on_stderr(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And makes nothing."""
    assert cli.main(["keys", *arguments]) in (1, 2)
    written = capsys.readouterr()
    assert complaint in written.err
    assert written.out == ""
    assert _run(capsys, "list") == ""


def test_no_keys_are_said_beside_the_list(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr: a program that reads the list reads nothing."""
    assert cli.main(["keys", "list"]) == 0
    assert capsys.readouterr() == ("", "no keys\n")


def test_a_reader_who_has_seen_enough_is_no_error(database_url: str) -> None:
    """`parley keys list | head`, with a reader that has gone before anything is written."""
    command = [str(PARLEY), "keys", "list"]
    for _ in range(2):
        assert cli.main(["keys", "create", "--organization", "acme"]) == 0
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (141, "")
