"""`GET /v1/sessions`: filters, order, pages."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import event, text

from sessions.ids import parse_id
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


async def test_a_list_can_say_who_was_there(api: ApiServer) -> None:
    """Once each, in the order in which they came, and who is heard; on request, and to those who may read content."""
    running, over = await _sessions(api, {}, {})
    for session_id, who in [(running, ["ann", "bot"]), (over, ["ann", "bob", "ann", *(f"p{n}" for n in range(9))])]:
        await api.come(session_id, who)
    tracks = [
        {"identity": "bob", "side": "room", "samples": 480},
        {"identity": "bob", "side": "room", "samples": 960},
        {"identity": "ann", "side": "room", "samples": 0},
        {"identity": "parley", "side": "worker", "samples": 480},
        {"identity": "early", "side": "room", "samples": 480},
    ]
    await _record(api, over, tracks)
    _, strangers = await api.dependencies.api_keys.create("other")
    body = {"kind": "agent", "agent_id": "agent_x", "scopes": ["sessions:read_metadata"]}
    blind = (await api.call("POST", "/v1/api_keys", body)).content["key"]
    await api.create("of the agent", agent_id="agent_x")

    plain = (await api.call("GET", "/v1/sessions")).content["data"]
    shown = (await api.call("GET", "/v1/sessions?expand=participants")).content["data"]
    unseen = (await api.call("GET", "/v1/sessions?expand=participants", key=blind)).content["data"]
    elsewhere = (await api.call("GET", "/v1/sessions?expand=participants", key=strangers.get_secret_value())).content

    assert [session["participants"] for session in (*plain, *unseen)] == [None] * 4
    assert elsewhere["data"] == []
    _, last, first = (session["participants"] for session in shown)
    assert first == {
        "data": [
            {"identity": "ann", "name": "Ann", "kind": "standard", "heard": None},
            {"identity": "bot", "name": "Bot", "kind": "standard", "heard": None},
        ],
        "has_more": False,
    }
    assert (len(last["data"]), last["has_more"]) == (8, True)
    assert [(one["identity"], one["heard"]) for one in last["data"][:3]] == [
        ("ann", False),
        ("bob", True),
        ("p0", False),
    ]


async def test_who_is_heard_is_named_though_nobody_told_of_them(api: ApiServer) -> None:
    """As where PARLEY_PARTICIPANT_EVENTS is 0."""
    [over] = await _sessions(api, {})
    await _record(api, over, [{"identity": "ann", "side": "room", "samples": 480}])
    [session] = (await api.call("GET", "/v1/sessions?expand=participants")).content["data"]
    assert session["participants"]["data"] == [{"identity": "ann", "name": None, "kind": None, "heard": True}]


async def test_who_was_there_costs_one_statement_a_page(api: ApiServer) -> None:
    """However many sessions are on it."""
    engine = api.dependencies.db._engine.sync_engine
    statements: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "participant.joined" in statement:
            statements.append(statement)

    counts = []
    for more in (["first"], [f"more-{number}" for number in range(20)]):
        for room in more:
            await api.create(room)
        event.listen(engine, "before_cursor_execute", note)
        for query in ("", "&expand=participants"):
            statements.clear()
            await api.call("GET", f"/v1/sessions?limit=100{query}")
            counts.append(len(statements))
        event.remove(engine, "before_cursor_execute", note)
    assert counts == [0, 1, 0, 1]


async def _record(api: ApiServer, session_id: str, tracks: Sequence[dict[str, Any]]) -> None:
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text(
                "INSERT INTO recordings (session_id, id, plan, frozen_at, committed_at, tracks)"
                " VALUES (:id, gen_random_uuid(), '{}', now(), now(), :tracks)"
            ),
            {"id": parse_id("sess", session_id), "tracks": json.dumps(tracks)},
        )
