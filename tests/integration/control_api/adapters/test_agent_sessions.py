"""The style of agents' sessions, `/v1/agents/{agent_id}/sessions`: one test per operation.

The texts in quotation marks are the reference of this style that Parley holds to.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sessions.ids import parse_id
from sessions.organizations.key_terms import KeyTerms
from sessions.texts.timestamps import parse_timestamp
from tests.support.running.api_server import MASTER_KEY, ApiServer, Reply, api_server

AGENT = "agent_a"
PATH = f"/v1/agents/{AGENT}/sessions"
ALL_SCOPES = ["sessions:read", "sessions:write", "sessions:delete"]


@dataclass
class Agents:
    """A server; "agent key (g_agent_...): scoped to a single agent with specific permissions"."""

    api: ApiServer
    key: str

    async def call(self, method: str, path: str = "", body: Any = None, **more: Any) -> Reply:
        return await self.api.call(method, PATH + path, body, **{"key": self.key, **more})

    async def lists(self) -> tuple[list[str], list[str]]:
        """Keys of the sessions and of the archived ones."""
        pages = [(await self.call("GET", path)).content["data"] for path in ("", "/archived")]
        return [row["key"] for row in pages[0]], [row["key"] for row in pages[1]]


@pytest.fixture
async def agents(database_url: str, tmp_path: Path) -> AsyncIterator[Agents]:
    async with api_server(database_url, tmp_path) as api:
        _, secret = await api.dependencies.api_keys.create(
            "default", KeyTerms(kind="agent", agent_id=AGENT, scopes=ALL_SCOPES)
        )
        yield Agents(api, secret.get_secret_value())


async def test_list_of_sessions(agents: Agents) -> None:
    """ "List of sessions", newest first, each time a "Unix timestamp in milliseconds"; pages go on."""
    first = await agents.api.create("room-a", agent_id=AGENT, title="One")
    second = await agents.api.create("room-b", agent_id=AGENT)
    await agents.api.create("room-c", agent_id="agent_b")
    page = await agents.call("GET", "?limit=1")
    assert page.status == 200
    assert [row["key"] for row in page.content["data"]] == [second["id"]]
    assert (page.content["has_more"], page.content["next_cursor"]) == (True, second["id"])
    [row] = (await agents.call("GET", f"?starting_after={page.content['next_cursor']}")).content["data"]
    created_ms = round(parse_timestamp(first["created_at"]).timestamp() * 1000)
    assert (row["key"], row["label"], row["status"], row["created_at"]) == (first["id"], "One", "queued", created_ms)
    assert (row["agent_id"], row["archived_at"], row["message_count"]) == (AGENT, None, 0)
    # "Master key (g_master_...): full access to all agents and endpoints."
    theirs = (await agents.api.call("GET", "/v1/agents/agent_b/sessions")).content["data"]
    assert [row["agent_id"] for row in theirs] == ["agent_b"]


async def test_session_message_history(agents: Agents) -> None:
    """ "Session message history": content is a "String or array of content blocks"; oldest first, in pages."""
    session = await agents.api.create("room-a", agent_id=AGENT)
    blocks = [{"type": "text", "text": "Hello"}, {"type": "text", "text": "again"}]
    posted = []
    for body in ({"content": "Hi"}, {"content": blocks, "role": "assistant"}, {"content": "Bye"}):
        answer = await agents.api.call("POST", f"/v1/sessions/{session['id']}/messages", body)
        assert answer.status == 201
        posted.append(answer.content)
    page = (await agents.call("GET", f"/{session['id']}/history?limit=2")).content
    assert [(row["role"], row["content"]) for row in page["data"]] == [("user", "Hi"), ("assistant", blocks)]
    assert (page["has_more"], page["data"][0]["id"]) == (True, posted[0]["id"])
    created_ms = round(parse_timestamp(posted[0]["created_at"]).timestamp() * 1000)
    assert page["data"][0]["created_at"] == created_ms
    rest = (await agents.call("GET", f"/{session['id']}/history?after={page['next_cursor']}")).content
    assert ([row["content"] for row in rest["data"]], rest["has_more"]) == (["Bye"], False)


async def test_session_renamed(agents: Agents) -> None:
    """ "Session renamed": 204 "No content"; the label is the title."""
    session = await agents.api.create("room-a", agent_id=AGENT)
    reply = await agents.call("POST", f"/{session['id']}/rename", {"label": "Refund"})
    assert (reply.status, reply.body) == (204, b"")
    assert (await agents.api.call("GET", f"/v1/sessions/{session['id']}")).content["title"] == "Refund"
    for body in ({}, {"label": ""}, {"label": "x" * 501}, {"label": "x", "title": "y"}):
        refused = await agents.call("POST", f"/{session['id']}/rename", body)
        assert refused.status == 422


async def test_session_archived(agents: Agents) -> None:
    """ "Session archived": 204 "No content"; archived it still runs: its status doesn't move, and it can be ended."""
    session = await agents.api.create("room-a", agent_id=AGENT)
    for _ in range(2):
        reply = await agents.call("POST", f"/{session['id']}/archive")
        assert (reply.status, reply.body) == (204, b"")
    assert await agents.lists() == ([], [session["id"]])
    ended = await agents.api.call("POST", f"/v1/sessions/{session['id']}/end")
    assert (ended.status, ended.content["status"]) == (200, "canceled")
    assert await agents.lists() == ([], [session["id"]])


async def test_session_deleted(agents: Agents, database_url: str) -> None:
    """ "Session deleted": 204 "No content"; then 404. A session that runs is 409 and stays."""
    session = await agents.api.create("room-a", agent_id=AGENT)
    with psycopg.connect(database_url) as conn:
        conn.execute("UPDATE sessions SET status = 'running'")
    refused = await agents.call("DELETE", f"/{session['id']}")
    assert (refused.status, refused.code) == (409, "session.active")
    with psycopg.connect(database_url) as conn:
        conn.execute("UPDATE sessions SET status = 'queued'")
    reply = await agents.call("DELETE", f"/{session['id']}")
    assert (reply.status, reply.body) == (204, b"")
    assert (await agents.call("DELETE", f"/{session['id']}")).status == 404
    assert (await agents.api.call("GET", f"/v1/sessions/{session['id']}")).status == 404
    assert await agents.lists() == ([], [])


async def test_list_of_archived_sessions(agents: Agents) -> None:
    """ "List of archived sessions": those only, with the time in milliseconds."""
    archived, _ = [await agents.api.create(f"room-{name}", agent_id=AGENT) for name in "ab"]
    await agents.call("POST", f"/{archived['id']}/archive")
    [row] = (await agents.call("GET", "/archived")).content["data"]
    stamp = (await agents.api.call("GET", f"/v1/sessions/{archived['id']}")).content["archived_at"]
    assert (row["key"], row["archived_at"]) == (archived["id"], round(parse_timestamp(stamp).timestamp() * 1000))


async def test_session_restored(agents: Agents) -> None:
    """ "Session restored": 204 "No content"."""
    session = await agents.api.create("room-a", agent_id=AGENT)
    await agents.call("POST", f"/{session['id']}/archive")
    for _ in range(2):
        reply = await agents.call("POST", f"/archived/{session['id']}/restore")
        assert (reply.status, reply.body) == (204, b"")
    assert await agents.lists() == ([session["id"]], [])


async def test_archive_deleted(agents: Agents) -> None:
    """ "Archive deleted": 204 "No content"; a session that isn't archived isn't found there, and stays."""
    session = await agents.api.create("room-a", agent_id=AGENT)
    assert (await agents.call("DELETE", f"/archived/{session['id']}")).status == 404
    assert await agents.lists() == ([session["id"]], [])
    await agents.call("POST", f"/{session['id']}/archive")
    reply = await agents.call("DELETE", f"/archived/{session['id']}")
    assert (reply.status, reply.body) == (204, b"")
    assert await agents.lists() == ([], [])


OPERATIONS = [
    ("GET", "", None, "sessions:read_metadata"),
    ("GET", "/{key}/history", None, "sessions:read"),
    ("POST", "/{key}/rename", {"label": "x"}, "sessions:write"),
    ("POST", "/{key}/archive", None, "sessions:write"),
    ("DELETE", "/{key}", None, "sessions:delete"),
    ("GET", "/archived", None, "sessions:read_metadata"),
    ("POST", "/archived/{key}/restore", None, "sessions:write"),
    ("DELETE", "/archived/{key}", None, "sessions:delete"),
]


@pytest.mark.parametrize(("method", "path", "body", "scope"), OPERATIONS)
async def test_unauthorized_and_forbidden(agents: Agents, method: str, path: str, body: Any, scope: str) -> None:
    """ "Unauthorized — Invalid or missing API key", "Forbidden — Key lacks the required scope"; others' agents: 404."""
    session = await agents.api.create("room-a", agent_id=AGENT)
    path = path.replace("{key}", session["id"])
    for key, code in ((None, "key.missing"), ("parley_agent_" + "x" * 43, "key.invalid")):
        refused = await agents.call(method, path, body, key=key)
        assert (refused.status, refused.code) == (401, code)
        assert refused.content["error"]["message"] == "Unauthorized — Invalid or missing API key"
    _, secret = await agents.api.dependencies.api_keys.create(
        "default", KeyTerms(kind="agent", agent_id=AGENT, scopes=["usage:read"])
    )
    lacking = await agents.call(method, path, body, key=secret.get_secret_value())
    error = lacking.content["error"]
    assert (lacking.status, error["message"]) == (403, "Forbidden — Key lacks the required scope")
    assert (error["type"], error["code"], error["required_scope"]) == ("permission", "scope.missing", scope)
    elsewhere = await agents.api.call(method, PATH.replace(AGENT, "agent_b") + path, body, key=agents.key)
    assert (elsewhere.status, elsewhere.code) == (404, "not_found")
    if session["id"] in path:  # the master key finds a session under its own agent only
        elsewhere = await agents.api.call(method, PATH.replace(AGENT, "agent_b") + path, body, key=MASTER_KEY)
        assert (elsewhere.status, elsewhere.code) == (404, "not_found")


async def test_both_spellings_of_a_key_and_no_other(agents: Agents) -> None:
    """`sess_…` and `session_<hex>`; anything else is 400."""
    session = await agents.api.create("room-a", agent_id=AGENT)
    hexed = f"session_{parse_id('sess', session['id']).hex}"
    assert (await agents.call("GET", f"/{hexed}/history")).status == 200
    assert (await agents.call("GET", "/main/history")).code == "id.invalid"


async def test_a_repeated_post_is_answered_once_more_without_content(agents: Agents) -> None:
    """An Idempotency-Key on a 204: the same status, marked as a repetition."""
    session = await agents.api.create("room-a", agent_id=AGENT)
    headers = {"Idempotency-Key": "k"}
    for replayed in (None, "true"):
        reply = await agents.call("POST", f"/{session['id']}/rename", {"label": "x"}, headers=headers)
        assert (reply.status, reply.body, reply.headers.get("Idempotent-Replayed")) == (204, b"", replayed)
