"""`GET /v1/events` and `GET /v1/event_types`."""

from typing import Any

from sessions.events.event_types import EVENT_TYPES
from tests.support.running.api_server import ApiServer


async def followed(api: ApiServer, query: str = "", **asked: Any) -> list[dict[str, Any]]:
    """Every event, two a page."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = (await api.call("GET", f"/v1/events?limit=2{query}{after}", **asked)).content
        found += page["data"]
        after = f"&after={page['cursor']}"
        if not page["has_more"]:
            return found


async def test_all_sessions_events_are_in_one_log(api: ApiServer) -> None:
    """From the creation to the deletion, which they outlive without their content."""
    kept = await api.create("one", metadata={"who": "Jane"}, external_customer_id="c1")
    gone = await api.create("two", metadata={"who": "John"}, agent_id="other")
    await api.call("POST", f"/v1/sessions/{kept['id']}/cancel", {})
    assert (await api.call("DELETE", f"/v1/sessions/{gone['id']}")).status == 204

    events = await followed(api)

    def of(session: dict[str, Any]) -> list[str]:
        return [event["type"] for event in events if event["session_id"] == session["id"]]

    beginning = ["session.created", "session.queued", "transcript.none", "session.canceled"]
    assert (beginning, [*beginning, "session.deleted"]) == (of(kept), of(gone))
    assert [event["id"] for event in events if event["session_id"] == kept["id"]] == [
        event["id"] for event in (await api.call("GET", f"/v1/sessions/{kept['id']}/events")).content["data"]
    ]
    about = {event["session_id"]: event["data"]["session"] for event in events}
    assert (about[kept["id"]]["metadata"], about[gone["id"]]["metadata"]) == ({"who": "Jane"}, {})
    assert (about[kept["id"]]["external_customer_id"], about[kept["id"]]["status"]) == ("c1", "canceled")
    assert [gone["id"]] * 5 == [event["session_id"] for event in await followed(api, "&agent_id=other")]
    [ended] = await followed(api, f"&types=session.canceled,recording.*&session_id={kept['id']}")
    assert ended["data"]["code"] == "cancel.requested"


async def test_keys_see_what_they_may(api: ApiServer) -> None:
    """An agent's its own agent's sessions; without sessions:read nobody's content."""
    await api.create("one", agent_id="mine", metadata={"who": "Jane"})
    await api.create("two", agent_id="other")
    key = {"kind": "agent", "agent_id": "mine", "scopes": ["sessions:read_metadata"]}
    agents = (await api.call("POST", "/v1/api_keys", key)).content["key"]

    events = await followed(api, key=agents)

    assert [event["data"]["session"]["agent_id"] for event in events] == ["mine", "mine"]
    assert [event["data"]["session"]["metadata"] for event in events] == [None, None]
    assert await followed(api, "&agent_id=other", key=agents) == []
    blind = {"kind": "agent", "agent_id": "mine", "scopes": ["usage:read"]}
    blind_key = (await api.call("POST", "/v1/api_keys", blind)).content["key"]
    assert (await api.call("GET", "/v1/events", key=blind_key)).status == 403


async def test_wrong_cursors_and_types_are_told(api: ApiServer) -> None:
    """Each with a code of its own."""
    session = await api.create("one")

    def answer(query: str) -> Any:
        return api.call("GET", f"/v1/events?{query}")

    assert ((reply := await answer("after=evc_1")).status, reply.code) == (400, "id.invalid")
    unknown = session["id"].replace("sess_", "evc_0")[:30]
    assert ((reply := await answer(f"after={unknown}")).status, reply.code) == (422, "cursor.unknown")
    assert ((reply := await answer("types=session.exploded")).status, reply.code) == (422, "parameter.invalid")
    await api.call("GET", "/v1/events")
    async with api.dependencies.db.begin() as conn:
        await conn.exec_driver_sql("UPDATE events SET recorded_at = now() - interval '99 days' WHERE position = 2")
        await conn.exec_driver_sql("DELETE FROM events WHERE position <= 2")
        await conn.exec_driver_sql("UPDATE event_logs SET expired_through = 2")
    assert ((reply := await answer("after=evc_" + "0" * 26)).status, reply.code) == (410, "cursor.expired")


async def test_the_types_are_listed_with_their_facts(api: ApiServer) -> None:
    """All of them, as bodies have them."""
    page = (await api.call("GET", "/v1/event_types")).content

    assert list(EVENT_TYPES) == [entry["type"] for entry in page["data"]]
    [moved] = [entry["data"] for entry in page["data"] if entry["type"] == "session.ended"]
    session = await api.create("one")
    [created, _] = await followed(api)
    assert created["session_id"] == session["id"]
    assert {"session", *(fact["name"] for fact in moved)} == set(created["data"])
    [example] = [entry["example"] for entry in page["data"] if entry["type"] == "session.created"]
    assert [*example] == [*created]
    assert {*example["data"]} == {*created["data"]}
    assert {*example["data"]["session"]} == {*created["data"]["session"]}
    for entry in page["data"]:
        assert {*entry["example"]["data"]} == {"session", *(fact["name"] for fact in entry["data"])}
