"""Behind nginx, which serves the API below a path: what clients do with what they are answered."""

import asyncio
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

from parley.servers.free_ports import free_ports
from tests.integration.control_api.outputs.recordings.test_recordings import AUDIO, store_recording
from tests.support.running.api_server import MASTER_KEY, ApiServer, api_server, create_body
from tests.support.services.nginx import nginx, nginx_version
from tools.compatibility import note

DEPLOY = Path(__file__).resolve().parents[5] / "docs" / "operations" / "deploy.md"
KEY = {"Authorization": f"Bearer {MASTER_KEY}"}
AGENT = "a/b c%2F"  # what nginx would decode, if it was let


def documented_location(api_url: str) -> str:
    """The block that the documentation tells people to use."""
    [block] = re.findall(r"```nginx\n(.*?)```", DEPLOY.read_text(), re.DOTALL)
    assert "http://127.0.0.1:8080" in block
    return str(block).replace("http://127.0.0.1:8080", api_url)


async def test_everything_is_reached_below_a_path(database_url: str, tmp_path: Path) -> None:
    """Location, cursors, links with ranges, the document's servers, a long poll, a stream, ids to be escaped."""
    [port] = free_ports(1)
    public = f"http://127.0.0.1:{port}/parley"
    async with api_server(database_url, tmp_path, public_url=public) as api:
        with nginx(tmp_path / "nginx", port=port, location=documented_location(api.base_url)):
            made = [await _create(api, public, number) for number in range(3)]
            assert await _pages(api, public) == [session["id"] for session in reversed(made)]
            await _plays(api, public, made[0]["id"])
            async with api.http.get(f"{public}/openapi.json") as answer:
                [server] = (await answer.json())["servers"]
            assert server == {"url": public}
            async with api.http.get(f"{server['url']}/v1/status", headers=KEY) as answer:
                assert answer.status == 200
            await _waits(api, public, made[1]["id"])
            await _streams(api, public)
            agents = f"{public}/v1/agents/{quote(AGENT, safe='')}/sessions"
            async with api.http.get(agents, headers=KEY) as answer:
                assert [one["agent_id"] for one in (await answer.json())["data"]] == [AGENT]
    note("proxy", "nginx", version=nginx_version(), run="the API below a path: Location, pages, links, ranges, waiting")


async def _create(api: ApiServer, public: str, number: int) -> dict[str, Any]:
    """A session, as its Location shows it."""
    body = create_body(f"room-{number}", agent_id=AGENT if number == 2 else None)
    async with api.http.post(f"{public}/v1/sessions", json=body, headers=KEY) as answer:
        assert answer.status == 201
        made = urljoin(str(answer.url), answer.headers["Location"])
    async with api.http.get(made, headers=KEY) as answer:
        session: dict[str, Any] = await answer.json()
    assert made == f"{public}/v1/sessions/{session['id']}"
    return session


async def _pages(api: ApiServer, public: str) -> list[str]:
    """All ids, two a page."""
    found: list[str] = []
    query = {"limit": "2"}
    while True:
        async with api.http.get(f"{public}/v1/sessions", params=query, headers=KEY) as answer:
            page = await answer.json()
        found += [session["id"] for session in page["data"]]
        if not page["has_more"]:
            return found
        query["starting_after"] = page["next_cursor"]


async def _plays(api: ApiServer, public: str, session_id: str) -> None:
    """The recording, by a client that follows links, as a whole and from the middle."""
    await store_recording(api, session_id)
    audio = f"{public}/v1/sessions/{session_id}/audio"
    async with api.http.get(audio, headers=KEY) as answer:
        assert (answer.status, await answer.read()) == (200, AUDIO)
        link = str(answer.url)
    assert link.startswith(f"{public}/v1/objects/")
    async with api.http.get(link, headers={"Range": "bytes=100-299"}) as answer:
        assert (answer.status, await answer.read()) == (206, AUDIO[100:300])
        assert answer.headers["Content-Range"] == f"bytes 100-299/{len(AUDIO)}"


async def _streams(api: ApiServer, public: str) -> None:
    """An event comes through when it happens; nothing of it is kept back in a buffer."""
    async with api.http.get(f"{public}/v1/events/stream", headers=KEY) as answer:
        assert (await answer.content.readuntil(b"\n\n")).startswith(b"retry: ")
        await api.create("streamed")
        async with asyncio.timeout(5):
            assert b"event: session.created" in await answer.content.readuntil(b"\n\n")


async def _waits(api: ApiServer, public: str, session_id: str) -> None:
    """A long poll is answered when the session ends, not before and not much later."""
    path = f"{public}/v1/sessions/{session_id}"

    async def cancel() -> None:
        await asyncio.sleep(1)
        async with api.http.post(f"{path}/cancel", headers=KEY) as answer:
            assert answer.status == 200

    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        group.create_task(cancel())
        async with api.http.get(f"{path}?until=terminal", headers={**KEY, "Prefer": "wait=25"}) as answer:
            session = await answer.json()
    assert session["status"] == "canceled"
    assert 0.9 <= time.monotonic() - began < 10
