"""Keys, ids, parameters, methods, paths and HTTP itself, wrong in every way: always the envelope."""

from datetime import UTC, datetime, timedelta

from sessions.codes import CODES
from sessions.ids import format_id, new_uuid
from sessions.organizations.key_terms import KeyTerms
from tests.support.running.api_server import MASTER_KEY, ApiServer, create_body

AUTH = f"Authorization: Bearer {MASTER_KEY}\r\n"


async def test_keys_that_are_missing_or_wrong_are_401(api: ApiServer) -> None:
    """With WWW-Authenticate, on every operation that needs one, unknown fields of the request notwithstanding."""
    for headers, code in [
        ({}, "key.missing"),
        ({"Authorization": ""}, "key.missing"),
        ({"Authorization": "Basic eDp5"}, "key.missing"),
        ({"Authorization": "Bearer"}, "key.missing"),
        ({"Authorization": "Bearer parley_master_wrong"}, "key.invalid"),
        ({"Authorization": "Bearer " + "x" * 2000}, "key.invalid"),
        ({"Authorization": "Bearer schlüssel"}, "key.invalid"),
    ]:
        for method, path in [("GET", "/v1/sessions?color=red"), ("POST", "/v1/sessions"), ("GET", "/v1/codes")]:
            reply = await api.call(method, path, key=None, headers=headers)
            assert (reply.status, reply.code) == (401, code), headers
            assert reply.headers["WWW-Authenticate"].startswith("Bearer")
            assert reply.content["error"]["type"] == "authentication"


async def test_revoked_and_expired_keys_are_invalid(api: ApiServer) -> None:
    """Expired ones at once."""
    store = api.dependencies.api_keys
    _, expired = await store.create("default", KeyTerms(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    row, revoked = await store.create("default")
    await store.revoke(row.organization_id, row.id)
    for secret in (expired, revoked):
        reply = await api.call("GET", "/v1/sessions", key=secret.get_secret_value())
        assert (reply.status, reply.code) == (401, "key.invalid")


async def test_a_key_without_the_scope_is_403_and_scopes_include_what_they_say(api: ApiServer) -> None:
    """sessions:read includes the metadata, not the other way round."""
    store = api.dependencies.api_keys
    session = await api.create("room")
    own = f"/v1/sessions/{session['id']}"
    _, metadata = await store.create("default", KeyTerms(kind="agent", agent_id="a", scopes=["sessions:read_metadata"]))
    _, reading = await store.create("default", KeyTerms(kind="agent", agent_id="a", scopes=["sessions:read"]))
    for secret, path, status in [
        (metadata, "/v1/sessions", 200),
        (metadata, own + "/events", 403),
        (metadata, own + "/recording", 403),
        (reading, "/v1/sessions", 200),
        (reading, "/v1/usage/events", 403),
    ]:
        reply = await api.call("GET", path, key=secret.get_secret_value())
        assert reply.status == status, path
    refused = await api.call("POST", "/v1/sessions", create_body("other"), key=reading.get_secret_value())
    assert (refused.status, refused.code, refused.content["error"]["type"]) == (403, "scope.missing", "permission")


async def test_ids_of_other_organizations_are_404_like_those_that_never_were(api: ApiServer) -> None:
    """No operation tells the difference."""
    _, other = await api.dependencies.api_keys.create("other")
    theirs = await api.create("room")
    unknown = format_id("sess", new_uuid())
    for method, suffix in [
        ("GET", ""),
        ("POST", "/end"),
        ("POST", "/cancel"),
        ("GET", "/timeline"),
        ("GET", "/events"),
        ("GET", "/recording"),
        ("GET", "/audio"),
    ]:
        answers = []
        for session_id in (theirs["id"], unknown):
            reply = await api.call(method, f"/v1/sessions/{session_id}{suffix}", key=other.get_secret_value())
            error = reply.content["error"]
            answers.append((reply.status, {**error, "request_id": None}))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
    listed = await api.call("GET", "/v1/sessions", key=other.get_secret_value())
    assert listed.content["data"] == []
    usage = await api.call("GET", f"/v1/usage/events?session_id={theirs['id']}", key=other.get_secret_value())
    assert (usage.status, usage.content["data"]) == (200, [])
    assert (await api.call("GET", f"/v1/sessions/{theirs['id']}")).content["status"] == "queued"


async def test_malformed_ids_are_400(api: ApiServer) -> None:
    """id.invalid, naming the path's parameter."""
    for session_id in (
        "x",
        "sess_",
        "sess_01",
        "evt_01KB2F5W2Q4V9M7T8Y6R3N1C0A",
        "session_" + "a" * 31,
        "session_" + "a" * 33,
        "%00",
        "%FF",
    ):
        reply = await api.call("GET", f"/v1/sessions/{session_id}")
        assert (reply.status, reply.code, reply.content["error"]["param"]) == (400, "id.invalid", "session_id")


async def test_unknown_and_bad_query_parameters_are_refused(api: ApiServer) -> None:
    """Unknown ones 400, bad values 422, unknown status words 400."""
    for query, status, code, param in [
        ("color=red", 400, "parameter.unknown", "color"),
        ("Limit=5", 400, "parameter.unknown", "Limit"),
        ("limit=x", 422, "parameter.invalid", "limit"),
        ("limit=0", 422, "parameter.invalid", "limit"),
        ("limit=101", 422, "parameter.invalid", "limit"),
        ("limit=1_0", 422, "parameter.invalid", "limit"),
        ("limit=٣", 422, "parameter.invalid", "limit"),
        ("limit=", 422, "parameter.invalid", "limit"),
        ("limit=1&limit=2", 422, "parameter.invalid", "limit"),
        ("created_after=yesterday", 422, "parameter.invalid", "created_after"),
        ("created_before=2026-11-22", 422, "parameter.invalid", "created_before"),
        ("created_before=2026-11-22T00:00:00", 422, "parameter.invalid", "created_before"),
        ("created_before=2026-13-22T00:00:00Z", 422, "parameter.invalid", "created_before"),
        ("created_before=0001-01-01T00:00:00%2B23:00", 422, "parameter.invalid", "created_before"),
        ("archived=maybe", 422, "parameter.invalid", "archived"),
        ("tag=", 422, "parameter.invalid", "tag"),
        ("tag=%00", 422, "parameter.invalid", "tag"),
        ("status=done", 400, "status.unknown", "status"),
        ("status=running&status=RUNNING", 400, "status.unknown", "status"),
        ("starting_after=x", 400, "id.invalid", "starting_after"),
    ]:
        reply = await api.call("GET", f"/v1/sessions?{query}")
        error = reply.content["error"]
        assert (reply.status, error["code"], error["param"]) == (status, code, param), query
    reply = await api.call("POST", "/v1/sessions?dry_run=1", create_body("room"))
    assert (reply.status, reply.code) == (400, "parameter.unknown")


async def test_what_does_not_exist_yet_is_404_and_other_methods_405(api: ApiServer) -> None:
    """Nothing but an envelope. 405 names the methods that do."""
    session = await api.create("room")
    own = f"/v1/sessions/{session['id']}"
    for method, path in [
        ("GET", own + "/nothing"),
        ("GET", "/v1"),
        ("GET", "/v1/sessions/"),
        ("GET", "/v2/sessions"),
        ("GET", "/%00"),
    ]:
        reply = await api.call(method, path)
        assert (reply.status, reply.code) == (404, "not_found"), path
    for method, path, allow in [
        ("DELETE", "/v1/sessions", "GET, HEAD, POST"),
        ("PUT", own, "DELETE, GET, HEAD, PATCH"),
        ("GET", own + "/end", "POST"),
        ("POST", own + "/worker_token", "PUT"),
        ("OPTIONS", "/v1/codes", "GET, HEAD"),
        ("TRACE", "/healthz", "GET, HEAD"),
    ]:
        reply = await api.call(method, path)
        assert (reply.status, reply.code, reply.headers["Allow"]) == (405, "method.not_allowed", allow), path


async def test_http_that_cannot_be_read_is_answered_in_the_envelope_without_an_echo(api: ApiServer) -> None:
    """Below the middlewares: bad lines, headers, lengths and chunks."""
    post = f"POST /v1/sessions HTTP/1.1\r\nHost: x\r\n{AUTH}Content-Type: application/json\r\n"
    for name, request in {
        "garbage": "SECRETWORD\r\n\r\n",
        "bad version": "GET /SECRETWORD HTTP/9.9\r\n\r\n",
        "bad header": "GET / HTTP/1.1\r\nHost: x\r\nSECRET WORD\r\n\r\n",
        "long URI": f"GET /{'SECRETWORD' * 1000} HTTP/1.1\r\nHost: x\r\n\r\n",
        "long header": f"GET / HTTP/1.1\r\nHost: x\r\nX-A: {'SECRETWORD' * 1000}\r\n\r\n",
        "many headers": "GET / HTTP/1.1\r\nHost: x\r\n" + "X-A: SECRETWORD\r\n" * 500 + "\r\n",
        "bad length": post + "Content-Length: SECRETWORD\r\n\r\n",
        "negative length": post + "Content-Length: -5\r\n\r\n",
        "two lengths": post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "length and chunks": post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "bad chunk": post + "Transfer-Encoding: chunked\r\n\r\nSECRETWORD\r\n",
    }.items():
        answer = await api.raw(request.encode())
        assert answer[:13] in (b"HTTP/1.1 400 ", b"HTTP/1.0 400 "), (name, answer)
        assert b'"code":"request.malformed"' in answer, (name, answer)
        assert b"X-Request-Id: req_" in answer, name
        assert b"SECRETWORD" not in answer, name


async def test_expectations_other_than_100_continue_are_refused(api: ApiServer) -> None:
    """400 in the envelope; 100-continue is granted."""
    for path in ("/v1/sessions", "/nowhere"):
        reply = await api.call("GET", path, headers={"Expect": "teapot"})
        assert (reply.status, reply.code) == (400, "expectation.unsupported")
        assert reply.headers["X-Request-Id"] == reply.content["error"]["request_id"]
    reply = await api.call("POST", "/v1/sessions", create_body("room"), expect100=True)
    assert reply.status == 201


async def test_head_answers_like_get_without_a_body(api: ApiServer) -> None:
    """Errors too."""
    reply = await api.call("HEAD", "/v1/sessions")
    assert (reply.status, reply.body) == (200, b"")
    reply = await api.call("HEAD", "/v1/sessions/x")
    assert (reply.status, reply.body) == (400, b"")


async def test_every_code_of_a_refusal_is_registered_with_its_status(api: ApiServer) -> None:
    """GET /v1/codes serves the registry."""
    reply = await api.call("GET", "/v1/codes")
    assert {row["code"] for row in reply.content["data"]} == set(CODES)
    assert reply.content["data"][0].keys() >= {"code", "kind", "fault", "retryable", "billable", "help"}
