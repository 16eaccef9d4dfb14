"""`GET /v1/sessions`: filters, order, pages."""

from typing import Any
from urllib.parse import urlencode

from sqlalchemy import text

from tests.support.running.api_server import ApiServer


async def _list(api: ApiServer, *query: tuple[str, str]) -> list[str]:
    reply = await api.call("GET", f"/v1/sessions?{urlencode(query)}")
    assert reply.status == 200, reply.content
    return [session["id"] for session in reply.content["data"]]


async def _sessions(api: ApiServer, *fields: dict[str, Any]) -> list[str]:
    return [(await api.create(f"room-{number}", **more))["id"] for number, more in enumerate(fields)]


async def test_an_organization_without_sessions_has_the_references_empty_list(api: ApiServer) -> None:
    """The example of the canonical style's reference, and the cursor."""
    reply = await api.call("GET", "/v1/sessions?limit=20")
    assert reply.content == {"object": "list", "data": [], "has_more": False, "next_cursor": None}


async def test_pages_are_newest_first_and_tile_the_whole(api: ApiServer) -> None:
    """limit and starting_after, by the cursor; a cursor need not exist."""
    ids = (await _sessions(api, *[{}] * 5))[::-1]
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": "2", **({"starting_after": cursor} if cursor else {})}
        page = (await api.call("GET", f"/v1/sessions?{urlencode(query)}")).content
        seen += [session["id"] for session in page["data"]]
        assert page["has_more"] == (page["next_cursor"] is not None)
        if not page["has_more"]:
            break
        cursor = page["next_cursor"]
    assert seen == ids
    assert await _list(api, ("starting_after", "sess_7ZZZZZZZZZZZZZZZZZZZZZZZZZ")) == ids


async def test_statuses_are_or_ed_and_aliases_expand(api: ApiServer) -> None:
    """Repeatable; active and terminal together are everything."""
    queued, canceled = await _sessions(api, {}, {})
    await api.call("POST", f"/v1/sessions/{canceled}/cancel")
    assert await _list(api, ("status", "queued")) == [queued]
    assert await _list(api, ("status", "canceled"), ("status", "failed")) == [canceled]
    assert await _list(api, ("status", "active")) == [queued]
    assert await _list(api, ("status", "terminal")) == [canceled]
    assert await _list(api, ("status", "active"), ("status", "terminal")) == [canceled, queued]
    assert await _list(api, ("status", "paused")) == []


async def test_every_filter_narrows_and_all_must_hold(api: ApiServer) -> None:
    """agent, task, project, tag, customer."""
    fields = {"agent_id": "agent_x", "task_id": "t", "project_id": "p", "external_customer_id": "c"}
    first, second = await _sessions(api, {**fields, "tags": ["a", "b"]}, {"tags": ["b"], "task_id": "t"})
    for name, value in fields.items():
        assert await _list(api, (name, value)) == ([second, first] if name == "task_id" else [first]), name
        assert await _list(api, (name, value + "'; --")) == []
    assert await _list(api, ("tag", "b")) == [second, first]
    assert await _list(api, ("tag", "a"), ("task_id", "t")) == [first]


async def test_created_after_and_before_are_exclusive(api: ApiServer) -> None:
    """Times with an offset are understood; the boundaries themselves are left out."""
    session = await api.create("room")
    at = session["created_at"]
    assert await _list(api, ("created_after", at)) == []
    assert await _list(api, ("created_before", at)) == []
    assert await _list(api, ("created_after", "2020-01-01T00:00:00Z")) == [session["id"]]
    assert await _list(
        api, ("created_after", "2020-01-01T00:00:00+02:00"), ("created_before", "2999-01-01T00:00:00Z")
    ) == [session["id"]]
    assert await _list(api, ("created_before", "0001-01-01T00:00:00Z")) == []


async def test_archived_sessions_are_left_out_unless_asked_for(api: ApiServer) -> None:
    """false by default, true, any."""
    kept, archived = await _sessions(api, {}, {})
    async with api.dependencies.db.begin() as conn:
        await conn.execute(text("UPDATE sessions SET archived_at = now() WHERE room_name = 'room-1'"))
    assert await _list(api) == [kept]
    assert await _list(api, ("archived", "true")) == [archived]
    assert await _list(api, ("archived", "any")) == [archived, kept]
