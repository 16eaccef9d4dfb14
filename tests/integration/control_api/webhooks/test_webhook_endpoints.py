"""`/v1/webhook_endpoints`: made, changed, deleted; secrets that are shown once; whose they are."""

import asyncio
from typing import Any

import psycopg
import pytest

from store.access.vault import TokenVault
from store.database.database import Database
from store.webhooks import endpoints as endpoints_module
from store.webhooks.housekeeping import clear_deliveries
from store.webhooks.signing_secrets import SigningSecrets
from tests.support.running.api_server import SECRET, ApiServer

URL = "https://hooks.example.com/parley"
ALL = "/v1/webhook_endpoints"


async def _make(api: ApiServer, key: str | None = None, **fields: Any) -> dict[str, Any]:
    more = {} if key is None else {"key": key}
    reply = await api.call("POST", ALL, {"url": URL, **fields}, **more)
    assert reply.status == 201, reply.content
    assert isinstance(reply.content, dict)
    return reply.content


async def _agent_key(api: ApiServer, *scopes: str, agent_id: str = "agent_a") -> str:
    body = {"kind": "agent", "agent_id": agent_id, "scopes": list(scopes)}
    return str((await api.call("POST", "/v1/api_keys", body)).content["key"])


async def test_a_secret_is_shown_once_and_kept_sealed(api: ApiServer, database_url: str) -> None:
    """Also by an Idempotency-Key, which keeps the answer sealed; nobody reads it in the database."""
    headers = {"Idempotency-Key": "k1"}
    first = await api.call("POST", ALL, {"url": URL}, headers=headers)
    again = await api.call("POST", ALL, {"url": URL}, headers=headers)
    assert (first.status, again.content, again.headers["Idempotent-Replayed"]) == (201, first.content, "true")
    assert first.headers["Cache-Control"] == "no-store"
    made = first.content
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert (await api.call("GET", f"{ALL}/{made['id']}")).content == made
    assert (await api.call("GET", ALL)).content["data"] == [made]
    with psycopg.connect(database_url) as conn:
        [dump] = conn.execute(
            "SELECT (SELECT string_agg(e::text, ' ') FROM webhook_endpoints e)"
            " || (SELECT string_agg(k::text, ' ') FROM idempotency_keys k)"
        ).fetchone() or ("",)
    assert URL in dump
    assert secret not in dump
    assert secret.removeprefix("whsec_").encode().hex() not in dump


async def test_an_endpoint_is_changed_disabled_enabled_and_deleted(api: ApiServer, database_url: str) -> None:
    """What is left out, or null, stays; a deleted one is found nowhere, and its rows go."""
    made = await _make(api, description="billing")
    one = f"{ALL}/{made['id']}"
    changed = await api.call("PATCH", one, {"event_types": ["session.ended"], "url": None})
    assert (changed.status, changed.content["event_types"], changed.content["url"]) == (200, ["session.ended"], URL)
    assert (await api.call("PATCH", one, {"description": None})).content["description"] is None
    disabled = (await api.call("PATCH", one, {"status": "disabled"})).content
    assert (disabled["status"], disabled["disabled_reason"]) == ("disabled", "requested")
    for path in ("test", "rotate_secret"):
        reply = await api.call("POST", f"{one}/{path}")
        assert reply.status == (409 if path == "test" else 200)
    assert (await api.call("POST", f"{one}/replay", {"since": "2026-01-01T00:00:00Z"})).code == "webhook.disabled"
    assert (await api.call("PATCH", one, {"status": "enabled"})).content["disabled_at"] is None
    tested = (await api.call("POST", f"{one}/test?wait_seconds=0")).content
    assert (tested["state"], tested["attempts"], tested["event_type"]) == ("pending", [], "webhook_endpoint.test")
    listed = (await api.call("GET", f"{one}/deliveries?state=pending")).content["data"]
    assert listed == [tested]
    assert (await api.call("GET", f"{one}/deliveries?state=failed")).content["data"] == []
    assert (await api.call("DELETE", one)).status == 204
    for method, path in (("GET", one), ("DELETE", one), ("GET", f"{one}/deliveries"), ("POST", f"{one}/test")):
        assert (await api.call(method, path)).code == "not_found"
    assert (await api.call("POST", f"/v1/deliveries/{tested['id']}/redeliver")).code == "not_found"
    await clear_deliveries(api.dependencies.db)
    with psycopg.connect(database_url) as conn:
        assert conn.execute(
            "SELECT (SELECT count(*) FROM webhook_endpoints) + (SELECT count(*) FROM webhook_deliveries)"
        ).fetchone() == (0,)


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"url": "http://hooks.example.com"}, "webhook.url_not_allowed", "url"),
        ({"url": "https://10.0.0.1"}, "webhook.url_not_allowed", "url"),
        ({"url": "https://hooks.example.com:22"}, "webhook.url_not_allowed", "url"),
        ({"event_types": []}, "field.invalid", "event_types"),
        ({"event_types": ["session.flown"]}, "field.invalid", "event_types.0"),
        ({"event_types": ["session.*", "sess*"]}, "field.invalid", "event_types.1"),
        ({"secret": "whsec_mine"}, "field.unknown", "secret"),
    ],
)
async def test_an_endpoint_that_makes_no_sense_is_refused(
    api: ApiServer, fields: dict[str, Any], code: str, param: str
) -> None:
    """422 with the field, and nothing is written."""
    reply = await api.call("POST", ALL, {"url": URL, **fields})
    assert (reply.status, reply.code, reply.content["error"]["param"]) == (422, code, param)
    assert (await api.call("GET", ALL)).content["data"] == []


async def test_a_replay_has_one_beginning_in_this_log(api: ApiServer) -> None:
    """A cursor of nobody's, none, or two."""
    made = await _make(api)
    path = f"{ALL}/{made['id']}/replay"
    for body in ({}, {"after": "evc_00000000000J1GH7T8Y6R3N1C0", "since": "2026-01-01T00:00:00Z"}):
        reply = await api.call("POST", path, body)
        assert (reply.status, reply.code) == (422, "field.required")
    assert (await api.call("POST", path, {"after": "evc_00000000000J1GH7T8Y6R3N1C0"})).code == "cursor.unknown"
    assert (await api.call("POST", path, {"since": "yesterday"})).code == "field.invalid"
    assert (await api.call("POST", path, {"since": "2026-01-01T00:00:00Z"})).status == 202
    assert (await api.call("POST", path, {"since": "2026-01-01T00:00:00Z"})).code == "webhook.replaying"


async def test_an_agents_key_manages_its_agents_endpoints(api: ApiServer) -> None:
    """Others' are not found; without sessions:read its endpoints get no content."""
    key = await _agent_key(api, "webhooks:manage", "sessions:read_metadata")
    reading = await _agent_key(api, "webhooks:manage", "sessions:read")
    others = await _make(api)
    own = await _make(api, key)
    assert (own["agent_id"], own["includes_content"]) == ("agent_a", False)
    assert (await _make(api, reading))["includes_content"] is True
    refused = await api.call("POST", ALL, {"url": URL, "agent_id": "agent_b"}, key=key)
    assert (refused.status, refused.code) == (403, "agent.not_allowed")
    for path in (f"{ALL}/{others['id']}", f"{ALL}/{others['id']}/deliveries"):
        assert (await api.call("GET", path, key=key)).code == "not_found"
    assert others["id"] not in (await api.call("GET", ALL, key=key)).body.decode()
    assert (await api.call("DELETE", f"{ALL}/{own['id']}", key=key)).status == 204


async def test_an_organization_has_so_many_endpoints(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is deleted makes room."""
    monkeypatch.setattr(endpoints_module, "MAX_ENDPOINTS", 2)
    made = [await _make(api) for _ in range(2)]
    refused = await api.call("POST", ALL, {"url": URL})
    assert (refused.status, refused.code) == (409, "webhook.too_many")
    await api.call("DELETE", f"{ALL}/{made[0]['id']}")
    await _make(api)


async def test_whoever_waits_for_a_test_is_told_nothing_once_the_key_is_revoked(api: ApiServer) -> None:
    """As in every long poll: the key is looked up again at each look."""
    made = await _make(api)
    key = (await api.call("POST", "/v1/api_keys", {"kind": "master"})).content
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(api.call("POST", f"{ALL}/{made['id']}/test?wait_seconds=20", key=key["key"]))
        await asyncio.sleep(0.2)
        await api.call("DELETE", f"/v1/api_keys/{key['id']}")
    refused = asked.result()
    assert (refused.status, refused.code) == (401, "key.invalid")


async def test_secrets_survive_a_rotation_of_the_secret_key(api: ApiServer, database_url: str) -> None:
    """They are sealed anew with the newest key, and then the old one isn't needed any more."""
    made = await _make(api)
    await api.call("POST", f"{ALL}/{made['id']}/rotate_secret")
    newest = SECRET.__class__("n" * 40)
    async with Database.open(database_url, timeout_seconds=15, application_name="test") as db:
        secrets = SigningSecrets(TokenVault([newest, SECRET]))
        await secrets.seal_anew(db)
        async with db.begin() as conn:
            row = (await conn.exec_driver_sql("SELECT *, clock_timestamp() AS now FROM webhook_endpoints")).mappings()
            [endpoint] = row.all()
    signing = SigningSecrets(TokenVault([newest])).signing(endpoint, endpoint["now"])
    assert signing[1].get_secret_value() == made["secret"]
