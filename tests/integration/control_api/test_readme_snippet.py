"""The README's Python snippet, as a reader would run it."""

import asyncio
import os
import re
from pathlib import Path

import pytest

from tests.support.api_server import MASTER_KEY, ApiServer

README = Path(__file__).resolve().parents[3] / "README.md"


async def test_the_snippet_runs_against_the_server(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every style that it shows is served."""
    [snippet] = re.findall(r"```python\n(import os, requests\n.*?)```", README.read_text(), re.DOTALL)
    session = await api.create("room")
    monkeypatch.setitem(os.environ, "PARLEY_KEY", MASTER_KEY)
    names: dict[str, object] = {}
    code = snippet.replace("http://127.0.0.1:8080", api.base_url).replace("print(", "http.close(); print(")

    await asyncio.to_thread(exec, code, names)

    assert session["id"] in str(names["listed"])
    assert str(names["spelled"]).startswith("{'id': 'session_")
    assert "started {" in capsys.readouterr().out
