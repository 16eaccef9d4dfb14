"""Who may say where events go: whoever may read them, for as long as that key is trusted."""

from typing import Any

from control_api.operations import OPERATIONS
from sessions.organizations.key_terms import SCOPES
from tests.integration.control_api.world import World
from tests.support.running.api_server import MASTER_KEY, ApiServer

ALL = "/v1/webhook_endpoints"
DIRECTING = {"rotate_webhook_secret", "replay_webhook_events", "redeliver_webhook"}
REDIRECTED, ENABLED = {"url": "https://elsewhere.example.com"}, {"status": "enabled"}


async def test_no_key_directs_an_endpoint_that_gets_what_the_key_may_not_read(world: World) -> None:
    """Every operation on an endpoint, with every scope but one: what sends its events elsewhere, or again, is 403."""
    blind = await world.agent_key("agent_a", set(SCOPES) - {"sessions:read"})
    addressing = {"{endpoint_id}", "{delivery_id}"}
    on_one = [operation for operation in OPERATIONS if addressing & set(operation.path.split("/"))]
    for change in (REDIRECTED, ENABLED):
        reply = await world.api.call("PATCH", f"{ALL}/{world.endpoint}", change, key=blind)
        assert (reply.status, reply.content["error"]["required_scope"]) == (403, "sessions:read")
    assert (await world.api.call("GET", f"{ALL}/{world.endpoint}")).content["url"] == "https://hooks.example.com"
    refused = {}
    for operation in sorted(on_one, key=lambda operation: ("GET", "POST", "PATCH", "DELETE").index(operation.method)):
        reply = await world.ask(operation, blind)
        if reply.status == 403:
            refused[operation.name] = reply.content["error"]["required_scope"]
        else:
            assert reply.status < 300, operation.name
    assert refused == dict.fromkeys(DIRECTING, "sessions:read")


async def test_a_key_that_may_read_no_event_directs_no_endpoint(world: World) -> None:
    """With webhooks:manage alone it makes none; one without content is directed with the scope of the metadata."""
    hook = {"url": "https://hooks.example.com/mine"}
    managing, reading = [
        await world.agent_key("agent_a", {"webhooks:manage", *more}) for more in ((), ("sessions:read_metadata",))
    ]
    refused = await world.api.call("POST", ALL, hook, key=managing)
    assert (refused.status, refused.content["error"]["required_scope"]) == (403, "sessions:read_metadata")
    made = await world.api.call("POST", ALL, hook, key=reading)
    assert (made.status, made.content["includes_content"]) == (201, False)
    one = f"{ALL}/{made.content['id']}"
    asked: tuple[tuple[str, str, Any], ...] = (
        ("PATCH", one, REDIRECTED),
        ("POST", f"{one}/rotate_secret", None),
        ("POST", f"{one}/replay", {"since": "2026-01-01T00:00:00Z"}),
    )
    for method, path, body in asked:
        lacking = await world.api.call(method, path, body, key=managing)
        assert (lacking.status, lacking.content["error"]["required_scope"]) == (403, "sessions:read_metadata")
        assert (await world.api.call(method, path, body, key=reading)).status in (200, 202)
    assert (await world.api.call("PATCH", one, {"event_types": ["session.ended"]}, key=managing)).status == 200
    assert (await world.api.call("PATCH", one, {"status": "disabled"}, key=managing)).status == 200
    assert (await world.api.call("DELETE", one, key=managing)).status == 204


async def test_what_a_leaked_key_directs_stops_with_it(api: ApiServer, database_url: str) -> None:
    """Endpoints that it or its children made, redirected or rotated; the owner's others go on, and one taken back."""
    leaked = (await api.call("POST", "/v1/api_keys", {"kind": "master"})).content
    child = (await api.call("POST", "/v1/api_keys", {"kind": "master"}, key=leaked["key"])).content
    names = ("made", "of a child", "redirected", "rotated", "taken back", "untouched", "disabled before")
    makers = {"made": leaked["key"], "of a child": child["key"], "taken back": leaked["key"]}
    paths = {}
    for name in names:
        body = {"url": "https://hooks.example.com", "description": name}
        made = await api.call("POST", ALL, body, key=makers.get(name, MASTER_KEY))
        paths[name] = f"{ALL}/{made.content['id']}"
    await api.call("PATCH", paths["redirected"], REDIRECTED, key=leaked["key"])
    await api.call("POST", f"{paths['rotated']}/rotate_secret", key=child["key"])
    await api.call("PATCH", paths["taken back"], REDIRECTED)
    await api.call("PATCH", paths["untouched"], {"description": "untouched"}, key=leaked["key"])
    await api.call("PATCH", paths["disabled before"], {**REDIRECTED, "status": "disabled"}, key=leaked["key"])
    assert (await api.call("DELETE", f"/v1/api_keys/{leaked['id']}")).status == 204
    assert {one["status"] for one in (await api.call("GET", ALL)).content["data"]} == {"enabled", "disabled"}
    assert (await api.call("DELETE", f"/v1/api_keys/{leaked['id']}?cascade=true")).status == 204
    shown = {one["description"]: one["disabled_reason"] for one in (await api.call("GET", ALL)).content["data"]}
    stopped = dict.fromkeys(("made", "of a child", "redirected", "rotated"), "key_revoked")
    assert shown == {**stopped, "taken back": None, "untouched": None, "disabled before": "requested"}
    events = (await api.call("GET", "/v1/events?types=webhook_endpoint.disabled")).content["data"]
    told = {(event["data"]["endpoint_id"], event["data"]["reason"]) for event in events}
    assert told == {(paths[name].rpartition("/")[2], "key_revoked") for name in stopped}
    assert (await api.call("PATCH", paths["made"], ENABLED)).content["status"] == "enabled"
