"""`/v1/api_keys`, and what an agent key sees."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.support.running.api_server import ApiServer, create_body, worker_token

AGENT = {"kind": "agent", "agent_id": "agent_a", "scopes": ["sessions:read", "sessions:write"], "name": "bot"}


async def _make(api: ApiServer, key: str | None = None, **changes: Any) -> dict[str, Any]:
    more = {} if key is None else {"key": key}
    reply = await api.call("POST", "/v1/api_keys", {**AGENT, **changes}, **more)
    assert reply.status == 201, reply.content
    assert isinstance(reply.content, dict)
    return reply.content


async def test_a_key_is_shown_once_and_listed_without_its_secret(api: ApiServer, database_url: str) -> None:
    """201 with `key`; afterwards prefix and last four, and no trace of the key in the database."""
    made = await _make(api, expires_at="2099-01-01T00:00:00Z")
    secret = made.pop("key")
    assert secret.startswith("parley_agent_")
    assert len(secret) == len("parley_agent_") + 43
    assert (made["prefix"], made["last_four"], made["expires_at"]) == (
        "parley_agent_",
        secret[-4:],
        "2099-01-01T00:00:00.000Z",
    )
    listed = (await api.call("GET", "/v1/api_keys?limit=1")).content
    assert (listed["data"], listed["has_more"]) == ([made], True)
    rest = (await api.call("GET", f"/v1/api_keys?starting_after={listed['next_cursor']}")).content
    assert [key["name"] for key in rest["data"]] == ["PARLEY_MASTER_KEY"]
    with psycopg.connect(database_url) as conn:
        [dump] = conn.execute("SELECT string_agg(k::text, ' ') FROM api_keys k").fetchone() or ("",)
    assert made["last_four"] in dump
    assert secret not in dump


async def test_a_repetition_gets_the_same_key_which_is_kept_sealed(api: ApiServer, database_url: str) -> None:
    """An answer that was lost can be had again with the Idempotency-Key; nobody reads it in the database."""
    headers = {"Idempotency-Key": "k1"}
    first = await api.call("POST", "/v1/api_keys", AGENT, headers=headers)
    again = await api.call("POST", "/v1/api_keys", AGENT, headers=headers)
    assert (first.status, again.status, again.content) == (201, 201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (await api.call("GET", "/v1/sessions", key=first.content["key"])).status == 200
    with psycopg.connect(database_url) as conn:
        [body] = conn.execute("SELECT body FROM idempotency_keys").fetchone() or (b"",)
    assert first.content["key"].encode() not in body
    assert first.content["id"].encode() not in body


async def test_both_keys_work_within_the_grace_period_and_one_after_it(api: ApiServer) -> None:
    """Rotation keeps kind, agent, scopes and name; grace 0 ends the old key at once."""
    old = await _make(api)
    reply = await api.call("POST", f"/v1/api_keys/{old['id']}/rotate", {"grace_seconds": 600})
    new = reply.content
    assert reply.status == 201
    assert new["id"] != old["id"]
    assert [new[name] for name in ("kind", "agent_id", "scopes", "name", "expires_at")] == [
        old[name] for name in ("kind", "agent_id", "scopes", "name", "expires_at")
    ]
    for secret in (old["key"], new["key"]):
        assert (await api.call("GET", "/v1/sessions", key=secret)).status == 200
    newest = (await api.call("POST", f"/v1/api_keys/{new['id']}/rotate", {"grace_seconds": 0})).content
    refused = await api.call("GET", "/v1/sessions", key=new["key"])
    assert (refused.status, refused.code) == (401, "key.invalid")
    assert (await api.call("GET", "/v1/sessions", key=newest["key"])).status == 200
    late = await api.call("POST", f"/v1/api_keys/{new['id']}/rotate")
    assert (late.status, late.code) == (409, "key.not_active")


async def test_a_revoked_key_is_dead_and_stays_so(api: ApiServer) -> None:
    """204 however often; 401 from then on; unknown ids are 404."""
    made = await _make(api)
    assert (await api.call("GET", "/v1/sessions", key=made["key"])).status == 200
    for _ in range(2):
        revoked = await api.call("DELETE", f"/v1/api_keys/{made['id']}")
        assert (revoked.status, revoked.body) == (204, b"")
    assert (await api.call("GET", "/v1/sessions", key=made["key"])).status == 401
    assert (await api.call("DELETE", "/v1/api_keys/key_01KB2F5W2Q4V9M7T8Y6R3N1C0A")).code == "not_found"
    assert (await api.call("DELETE", "/v1/api_keys/key_1")).code == "id.invalid"


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"agent_id": None}, "field.required", "agent_id"),
        ({"scopes": []}, "field.required", "scopes"),
        ({"kind": "master"}, "field.invalid", "agent_id"),
        ({"kind": "master", "agent_id": None}, "field.invalid", "scopes"),
        ({"scopes": ["everything"]}, "field.invalid", "scopes.0"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "field.invalid", "expires_at"),
        ({"expires_at": "tomorrow"}, "field.invalid", "expires_at"),
        ({"colour": "red"}, "field.unknown", "colour"),
    ],
)
async def test_a_key_that_makes_no_sense_is_refused(
    api: ApiServer, changes: dict[str, Any], code: str, param: str
) -> None:
    """422 with the field, and nothing is written."""
    reply = await api.call("POST", "/v1/api_keys", {**AGENT, **changes})
    assert (reply.status, reply.code, reply.content["error"]["param"]) == (422, code, param)
    assert len((await api.call("GET", "/v1/api_keys")).content["data"]) == 1


async def test_an_agent_key_gives_away_nothing_that_it_lacks(api: ApiServer) -> None:
    """With keys:manage it makes, sees, rotates and revokes keys of its own agent, with scopes of its own."""
    manager = (await _make(api, scopes=["keys:manage", "sessions:read"]))["key"]
    stronger, foreign = await _make(api), await _make(api, agent_id="agent_b")
    made = await _make(api, manager, scopes=["sessions:read_metadata"])
    assert (made["kind"], made["agent_id"]) == ("agent", "agent_a")
    for body, status, code in (
        ({**AGENT, "agent_id": "agent_b", "scopes": ["sessions:read"]}, 403, "agent.not_allowed"),
        ({"kind": "master"}, 403, "agent.not_allowed"),
        ({**AGENT, "scopes": ["sessions:delete"]}, 403, "scope.missing"),
    ):
        refused = await api.call("POST", "/v1/api_keys", body, key=manager)
        assert (refused.status, refused.code) == (status, code)
    rotated = await api.call("POST", f"/v1/api_keys/{stronger['id']}/rotate", key=manager)
    assert (rotated.status, rotated.content["error"]["required_scope"]) == (403, "sessions:write")
    revoked = await api.call("DELETE", f"/v1/api_keys/{stronger['id']}", key=manager)
    assert (revoked.status, revoked.content["error"]["required_scope"]) == (403, "sessions:write")
    assert (await api.call("GET", "/v1/sessions", key=stronger["key"])).status == 200
    assert (await api.call("DELETE", f"/v1/api_keys/{made['id']}", key=manager)).status == 204
    assert (await api.call("DELETE", f"/v1/api_keys/{foreign['id']}", key=manager)).status == 404
    listed = (await api.call("GET", "/v1/api_keys", key=manager)).content["data"]
    assert {key["agent_id"] for key in listed} == {"agent_a"}


@pytest.mark.parametrize("kind", ["agent", "master"])
async def test_a_key_that_expires_leaves_none_behind_that_works_longer(api: ApiServer, kind: str) -> None:
    """Whoever has borrowed it for a day has it for a day: neither a new key nor another one's rotation lasts."""
    end, later = "2099-01-01T00:00:00.000Z", "2099-01-01T00:00:00.001Z"
    scope = {"agent_id": "agent_a", "scopes": ["keys:manage", "sessions:read"]} if kind == "agent" else {}
    wanted = {"kind": kind, **scope}
    borrowed = (await api.call("POST", "/v1/api_keys", {**wanted, "expires_at": end})).content
    lasting = (await api.call("POST", "/v1/api_keys", wanted)).content
    for expires_at in (None, later):
        refused = await api.call("POST", "/v1/api_keys", {**wanted, "expires_at": expires_at}, key=borrowed["key"])
        assert (refused.status, refused.code) == (403, "key.outlived")
        assert end in refused.content["error"]["message"]
    refused = await api.call("POST", f"/v1/api_keys/{lasting['id']}/rotate", key=borrowed["key"])
    assert (refused.status, refused.code) == (403, "key.outlived")
    assert len((await api.call("GET", "/v1/api_keys")).content["data"]) == 3
    made = await api.call("POST", "/v1/api_keys", {**wanted, "expires_at": end}, key=borrowed["key"])
    assert (made.status, made.content["expires_at"]) == (201, end)
    rotated = await api.call("POST", f"/v1/api_keys/{borrowed['id']}/rotate", key=borrowed["key"])
    assert (rotated.status, rotated.content["expires_at"]) == (201, end)


async def test_an_agent_key_sees_its_agents_sessions_only(api: ApiServer) -> None:
    """Lists leave others out, also when they are asked for; what it creates is its agent's."""
    theirs = await api.create("room-b", agent_id="agent_b")
    key = (await _make(api))["key"]
    created = await api.call("POST", "/v1/sessions", create_body("room-a"), key=key)
    assert (created.status, created.content["agent_id"]) == (201, "agent_a")
    refused = await api.call("POST", "/v1/sessions", create_body("room-c", agent_id="agent_b"), key=key)
    assert (refused.status, refused.code, refused.content["error"]["type"]) == (403, "agent.not_allowed", "permission")
    mine = (await api.call("GET", "/v1/sessions", key=key)).content["data"]
    assert [session["id"] for session in mine] == [created.content["id"]]
    assert (await api.call("GET", "/v1/sessions?agent_id=agent_b", key=key)).content["data"] == []
    assert (await api.call("GET", f"/v1/sessions/{theirs['id']}", key=key)).status == 404
    taken = await api.call("POST", "/v1/sessions", create_body("room-b"), key=key)
    assert (taken.status, taken.content["error"]["existing_session_id"]) == (409, None)


async def test_an_agent_key_reads_its_agents_part_of_the_bill(api: ApiServer, database_url: str) -> None:
    """Usage events of others are not there, neither in the list nor by session."""
    key = (await _make(api, scopes=["usage:read"]))["key"]
    sessions = {name: await api.create(f"room-{name}", agent_id=name) for name in ("agent_a", "agent_b")}
    with psycopg.connect(database_url) as conn:
        conn.execute(
            """
            INSERT INTO usage_events (id, session_id, organization_id, epoch, kind, from_ms, to_ms, quality, multiplier,
                                      credits, agent_id, recorded_at)
            SELECT gen_random_uuid(), id, organization_id, 1, 'accrual', 0, 1000, 'standard', 1, 1, agent_id,
                   %s FROM sessions
            """,
            [datetime.now(UTC) - timedelta(minutes=5)],
        )
    rows = (await api.call("GET", "/v1/usage/events", key=key)).content["data"]
    assert [row["session_id"] for row in rows] == [sessions["agent_a"]["id"]]
    other = await api.call("GET", f"/v1/usage/events?session_id={sessions['agent_b']['id']}", key=key)
    assert other.content["data"] == []
    assert len((await api.call("GET", "/v1/usage/events")).content["data"]) == 2


async def test_a_weaker_key_does_not_get_a_kept_secret_by_the_idempotency_key(api: ApiServer) -> None:
    """Of the same agent, with the same Idempotency-Key and body: it may not make such a key, nor read the one made."""
    strong = (await _make(api, scopes=["keys:manage", "sessions:read", "sessions:write"]))["key"]
    weak = (await _make(api, scopes=["keys:manage", "usage:read"]))["key"]
    headers = {"Idempotency-Key": "same"}
    made = await api.call("POST", "/v1/api_keys", AGENT, key=strong, headers=headers)
    assert made.status == 201
    refused = await api.call("POST", "/v1/api_keys", AGENT, key=weak, headers=headers)
    assert (refused.status, refused.code) == (422, "idempotency.key_reused")
    rotation = f"/v1/api_keys/{made.content['id']}/rotate"
    assert (await api.call("POST", rotation, key=strong, headers=headers)).status == 201
    assert (await api.call("POST", rotation, key=weak, headers=headers)).code == "idempotency.key_reused"


async def test_the_old_half_of_a_rotated_key_manages_none(api: ApiServer) -> None:
    """Who has stolen it can neither revoke its successor nor make another one; a lost answer can be had again."""
    scopes = ["keys:manage", "sessions:read"]
    old = await _make(api, scopes=scopes)
    rotate, once = f"/v1/api_keys/{old['id']}/rotate", {"Idempotency-Key": "r"}
    new = (await api.call("POST", rotate, key=old["key"], headers=once)).content
    assert (new["created_by"], new["replaced_by"]) == (old["id"], None)
    assert (await api.call("POST", rotate, key=old["key"], headers=once)).content == new
    for method, path, body in (
        ("DELETE", f"/v1/api_keys/{new['id']}", None),
        ("DELETE", f"/v1/api_keys/{old['id']}?cascade=true", None),
        ("POST", "/v1/api_keys", {**AGENT, "scopes": scopes}),
        ("POST", rotate, None),
    ):
        refused = await api.call(method, path, body, key=old["key"])
        assert (refused.status, refused.code) == (403, "key.replaced")
    listed = (await api.call("GET", "/v1/api_keys", key=old["key"])).content["data"]
    assert {key["id"]: key["replaced_by"] for key in listed} == {old["id"]: new["id"], new["id"]: None}
    assert (await api.call("DELETE", f"/v1/api_keys/{old['id']}", key=new["key"])).status == 204


async def test_a_leaked_key_is_revoked_with_all_that_came_of_it(api: ApiServer) -> None:
    """Children, their children and rotations; not its own maker, nor what others made."""
    scopes = ["keys:manage", "sessions:read"]
    maker = await _make(api, scopes=scopes)
    leaked = await _make(api, maker["key"], scopes=scopes)
    child = await _make(api, leaked["key"], scopes=scopes)
    grandchild = await _make(api, child["key"], scopes=scopes)
    rotated = (await api.call("POST", f"/v1/api_keys/{grandchild['id']}/rotate", key=grandchild["key"])).content
    other = await _make(api, maker["key"], scopes=scopes)
    assert (await api.call("DELETE", f"/v1/api_keys/{leaked['id']}?cascade=true")).status == 204
    for key, status in ((maker, 200), (other, 200), (leaked, 401), (child, 401), (grandchild, 401), (rotated, 401)):
        assert (await api.call("GET", "/v1/sessions", key=key["key"])).status == status
    assert (await api.call("DELETE", f"/v1/api_keys/{maker['id']}")).status == 204
    assert (await api.call("GET", "/v1/sessions", key=other["key"])).status == 200
    assert (await api.call("DELETE", f"/v1/api_keys/{other['id']}?cascade=yes")).code == "parameter.invalid"


async def test_agents_do_not_learn_of_each_others_idempotency_keys(api: ApiServer) -> None:
    """The same key and body of two agents, and of nobody's key: three requests that know nothing of each other."""
    once, made = {"Idempotency-Key": "same"}, set()
    for agent_id in ("agent_a", "agent_b", None):
        key = {} if agent_id is None else {"key": (await _make(api, agent_id=agent_id))["key"]}
        body = create_body("room-1", transport={"worker_token": worker_token("room-1", f"recorder-{agent_id}")})
        first, again = [await api.call("POST", "/v1/sessions", body, headers=once, **key) for _ in range(2)]
        assert (first.status, again.status, again.content) == (201, 201, first.content)
        made.add(first.content["id"])
    assert len(made) == 3
