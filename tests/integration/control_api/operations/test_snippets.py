"""The snippets of the README and of docs/guides/api-styles.md, as a reader would run them."""

import asyncio
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.support.running.api_server import MASTER_KEY, ApiServer

ROOT = Path(__file__).resolve().parents[4]
SECRET = "s" * 40


def block(page: str, language: str, start: str) -> str:
    """The block of code on a page that begins like this."""
    [found] = re.findall(rf"```{language}\n({re.escape(start)}.*?)```", (ROOT / page).read_text(), re.DOTALL)
    return str(found)


def minted(monkeypatch: pytest.MonkeyPatch) -> str:
    """The worker token that the README mints."""
    monkeypatch.setenv("LIVEKIT_API_KEY", "key")
    monkeypatch.setenv("LIVEKIT_API_SECRET", SECRET)
    names: dict[str, Any] = {}
    exec(block("README.md", "python", "import datetime, os"), names)
    return str(names["token"])


async def shell(commands: str, **environment: str) -> list[dict[str, Any]]:
    """Run them with a real shell and curl; returns what each answered, as JSON."""
    if shutil.which("curl") is None:
        if os.environ.get("CI"):
            pytest.fail("curl is missing")
        pytest.skip("curl is missing")
    done = await asyncio.to_thread(
        subprocess.run,
        ["sh", "-euc", commands],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    decoder, rest, answers = json.JSONDecoder(), done.stdout.strip(), []
    while rest:
        answer, end = decoder.raw_decode(rest)
        answers.append(answer)
        rest = rest[end:].strip()
    return answers


async def test_the_styles_run_against_the_server(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every style that docs/guides/api-styles.md shows is served."""
    session = await api.create("room")
    monkeypatch.setenv("PARLEY_KEY", MASTER_KEY)
    snippet = block("docs/guides/api-styles.md", "python", "import os, requests")
    names: dict[str, object] = {}
    code = snippet.replace("http://127.0.0.1:8080", api.base_url).replace("print(", "http.close(); print(")

    await asyncio.to_thread(exec, code, names)

    assert session["id"] in str(names["listed"])
    assert str(names["spelled"]).startswith("{'id': 'session_")
    assert "started {" in capsys.readouterr().out


def test_the_token_grants_what_the_readme_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """It hears one room, nobody sees it, and it says nothing."""
    claims = jwt.decode(minted(monkeypatch), SECRET, algorithms=["HS256"])

    grants = {name: claims["video"][name] for name in ("roomJoin", "room", "canSubscribe", "canPublish", "hidden")}
    assert claims["sub"] == "parley-recorder"
    assert grants == {
        "roomJoin": True,
        "room": "support-4711",
        "canSubscribe": True,
        "canPublish": False,
        "hidden": True,
    }


async def test_one_curl_creates_one_session_however_often_it_is_sent(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The idempotency key arrives: a retry gets the first answer."""
    command = block("README.md", "sh", "curl -sS $PARLEY_URL/v1/sessions \\")
    known = {"PARLEY_URL": api.base_url, "PARLEY_KEY": MASTER_KEY, "WORKER_TOKEN": minted(monkeypatch)}

    first, second = await shell(f"{command}\n{command}", **known)

    assert first["status"] == "queued"
    assert first["transport"]["room_name"] == "support-4711"
    assert second["id"] == first["id"]


async def test_the_first_recording_is_ended_awaited_and_fetched(api: ApiServer, tmp_path: Path) -> None:
    """The three curls find the session; one that never ran is canceled and has no audio."""
    session = await api.create("room")
    lines = block("README.md", "sh", ".venv/bin/parley sessions create").splitlines()
    commands = "\n".join(line for line in lines if line.startswith("curl "))
    commands = commands.replace("-o conversation.wav", f"-o {tmp_path}/conversation.wav")
    known = {"PARLEY_URL": api.base_url, "PARLEY_KEY": MASTER_KEY, "SESSION": session["id"]}

    ended, awaited = await shell(commands, **known)

    assert (ended["status"], awaited["status"]) == ("canceled", "canceled")
    assert json.loads((tmp_path / "conversation.wav").read_text())["error"]["code"] == "audio.none"
