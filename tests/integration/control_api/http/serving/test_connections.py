"""Connections that bring nothing, or bring it slowly, take nobody's place."""

import asyncio
from pathlib import Path

import pytest

from control_api.http.serving import http_protocol
from tests.support.network.loopback import connection
from tests.support.running.api_server import ApiServer, api_server

GOOD = b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"


async def test_the_head_of_every_request_is_due_in_time(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of the second one: however many bytes come meanwhile, its time runs from the first. An idle connection is
    kept."""
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 2.5)
    async with connection(api.base_url) as (reader, writer):
        writer.write(GOOD)
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(3)
        writer.write(GOOD)
        assert b"HTTP/1.1 200" in await reader.readuntil(b"}")
        started = asyncio.get_running_loop().time()
        rest = asyncio.ensure_future(reader.read())
        for byte in GOOD[:12]:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.3)
            if rest.done():
                break
        async with asyncio.timeout(20):
            assert await rest == b""
        assert asyncio.get_running_loop().time() - started > 2


async def test_idle_connections_make_room_for_those_that_ask(database_url: str, tmp_path: Path) -> None:
    """Five may be held: of thirty idle ones the last few are, and everybody who asks is answered."""
    async with api_server(database_url, tmp_path, api_connections=5) as api:
        idle = [await asyncio.open_connection("127.0.0.1", int(api.base_url.rpartition(":")[2])) for _ in range(30)]
        try:
            for _ in range(3):
                assert (await api.call("GET", "/healthz", key=None)).status == 200
            async with asyncio.timeout(5):
                for reader, _ in idle[:25]:
                    assert await reader.read() == b""
            assert not idle[-1][0].at_eof()
        finally:
            for _, writer in idle:
                writer.close()
