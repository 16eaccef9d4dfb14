"""`parley keys rotate-secret`: what is stored needs no older secret key any more, and what is lost is named."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from parley import cli
from store.access.sealed_columns import SEALED_COLUMNS
from store.access.vault import TokenVault
from tests.support.running.api_server import SECRET, ApiServer, Reply, api_server, create_body
from tests.support.running.engine import Engine

NEW = SecretStr("n" * 40)
ENDPOINT = {"url": "https://hooks.example.com/parley"}


async def _fill(api: ApiServer) -> list[Reply]:
    """Something sealed in every column; the answers whose repetition shows a secret."""
    body = create_body("room", transport={"e2ee": {"shared_key": "passphrase"}})
    assert (await api.call("POST", "/v1/sessions", body)).status == 201
    shown = [await _make_key(api), await api.call("POST", "/v1/webhook_endpoints", ENDPOINT)]
    await api.call("POST", f"/v1/webhook_endpoints/{shown[1].content['id']}/rotate_secret")
    return shown


async def _make_key(api: ApiServer) -> Reply:
    return await api.call("POST", "/v1/api_keys", {"kind": "master"}, headers={"Idempotency-Key": "k"})


async def _run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *keys: SecretStr
) -> tuple[int, str]:
    monkeypatch.setenv("PARLEY_SECRET_KEY", ",".join(key.get_secret_value() for key in keys))
    code = await asyncio.to_thread(cli.main, ["keys", "rotate-secret"])
    output = capsys.readouterr()
    return code, output.out + output.err


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path) -> None:
    monkeypatch.setenv("PARLEY_DATABASE_URL", database_url)
    monkeypatch.setenv("PARLEY_DATA_DIR", str(tmp_path))


async def test_then_nothing_needs_the_old_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_url: str, tmp_path: Path
) -> None:
    """Every column of the list is sealed anew, once; with the new key alone a repetition gets its answer."""
    async with api_server(database_url, tmp_path) as api:
        first, _ = await _fill(api)
    code, told = await _run(monkeypatch, capsys, NEW, SECRET)
    assert code == 0, told
    for sealed in SEALED_COLUMNS:
        assert f"{sealed.what}: 1 sealed anew" in told
    assert "Nothing that is stored needs an older key" in told
    code, told = await _run(monkeypatch, capsys, NEW)
    assert (code, told.count(": 0 sealed anew")) == (0, len(SEALED_COLUMNS))
    async with api_server(database_url, tmp_path, secret_key=(NEW,)) as api:
        assert (await _make_key(api)).content == first.content
        for sealed in SEALED_COLUMNS:
            async with api.dependencies.db.begin() as conn:
                [(blob,)] = (await conn.execute(select(sealed.column).where(sealed.column.is_not(None)))).all()
            assert blob.startswith(TokenVault([NEW]).newest_mark)


async def test_what_a_dropped_key_has_sealed_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_url: str, tmp_path: Path
) -> None:
    """A session in the queue fails, a repetition is refused, an endpoint's secret can be rotated; each says so."""
    async with api_server(database_url, tmp_path) as api:
        _, endpoint = await _fill(api)
    code, told = await _run(monkeypatch, capsys, NEW)
    assert code == 1
    for sealed in SEALED_COLUMNS:
        assert f"1 {sealed.what}" in told
    async with api_server(database_url, tmp_path, secret_key=(NEW,)) as api:
        again = await _make_key(api)
        assert (again.status, again.code) == (410, "secret_key.dropped")
        assert (await api.call("POST", f"/v1/webhook_endpoints/{endpoint.content['id']}/rotate_secret")).status == 200
        async with Engine.open(database_url) as engine:  # it has another key, too
            assert await engine.claim() == []
        [session] = (await api.call("GET", "/v1/sessions")).content["data"]
        assert (session["status"], session["error"]["code"]) == ("failed", "secret_key.dropped")
