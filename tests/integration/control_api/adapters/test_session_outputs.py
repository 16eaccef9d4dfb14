"""The style of the flat paths, `/v1/session/…` and `/v1/sessions/summary`: operation by operation.

The texts in quotation marks are the reference of this style that Parley holds to.
"""

import re
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from sessions.ids import new_uuid, parse_id
from sessions.organizations.key_terms import SCOPES, KeyTerms
from tests.support.running.api_server import ROOM_URL, ApiServer, Reply

STATUS = "/v1/session/status"
OPERATIONS = (STATUS, "/v1/session/audio")


@pytest.fixture
async def project(api: ApiServer) -> dict[str, str]:
    """A session of a project; its query."""
    session = await api.create("room", project_id="proj_1")
    return {"sessionId": session["id"], "type": "project", "projectId": "proj_1"}


async def _end(api: ApiServer, session_id: str, recording_state: str) -> None:
    """Make the session ended, with or without a stored recording, as the finalizer does."""
    key = f"sessions/{session_id}/conversation.wav"
    await api.dependencies.objects.put_bytes(key, b"RIFF")
    values = {"session": parse_id("sess", session_id), "id": new_uuid(), "key": key, "state": recording_state}
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text(
                "INSERT INTO recordings (session_id, id, plan, frozen_at, committed_at, object_key)"
                " VALUES (:session, :id, '{}', now(), now(), :key)"
            ),
            values,
        )
        await conn.execute(
            text(
                "UPDATE sessions SET status = 'ended', finished_at = now(), recording_state = :state"
                " WHERE id = :session"
            ),
            values,
        )


async def test_the_status_of_a_project_session(api: ApiServer, project: dict[str, str]) -> None:
    """`success`, `sessionId`, `type`, `projectId`, `status`, `agentId`, `wsUrl`, ISO times; undefined ones absent."""
    reply = await api.call("GET", STATUS, params=project)
    assert reply.status == 200
    times = {name: reply.content.pop(name) for name in ("createdAt", "updatedAt")}
    assert {
        "success": True,
        "sessionId": project["sessionId"],
        "type": "project",
        "projectId": "proj_1",
        "status": "queued",
        "agentId": (await api.call("GET", f"/v1/sessions/{project['sessionId']}")).content["agent_id"],
        "wsUrl": ROOM_URL,
    } == reply.content
    for time in times.values():
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)


async def test_the_status_of_an_instant_session(api: ApiServer) -> None:
    """`projectId` is undefined; `completedAt` comes with the end."""
    session = await api.create("room")
    query = {"sessionId": session["id"], "type": "instant"}
    reply = await api.call("GET", STATUS, params=query)
    assert (reply.status, reply.content["type"], "projectId" in reply.content) == (200, "instant", False)
    assert "completedAt" not in reply.content
    await _end(api, session["id"], "available")
    reply = await api.call("GET", STATUS, params=query)
    assert (reply.content["status"], "completedAt" in reply.content) == ("ended", True)


async def test_a_session_id_in_the_hex_spelling_is_the_same_session(api: ApiServer, project: dict[str, str]) -> None:
    """Both spellings are accepted everywhere."""
    hex_id = f"session_{parse_id('sess', project['sessionId']).hex}"
    reply = await api.call("GET", STATUS, params={**project, "sessionId": hex_id})
    assert (reply.status, reply.content["sessionId"]) == (200, project["sessionId"])


@pytest.mark.parametrize("path", OPERATIONS)
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sessionId": None}, "sessionId is required"),
        ({"sessionId": ""}, "sessionId is required"),
        ({"type": None}, 'type must be "project" or "instant"'),
        ({"type": "other"}, 'type must be "project" or "instant"'),
        ({"projectId": None}, "projectId is required when type=project"),
        ({"projectId": ""}, "projectId is required when type=project"),
    ],
)
async def test_a_bad_query_is_400_with_the_references_text(
    api: ApiServer, project: dict[str, str], path: str, changes: dict[str, str | None], expected: str
) -> None:
    """`{ "error": "sessionId is required" | "type must be …" | "projectId is required when type=project" }`."""
    query = {name: value for name, value in {**project, **changes}.items() if value is not None}
    reply = await api.call("GET", path, params=query)
    assert (400, {"error": expected}) == (reply.status, reply.content)
    assert reply.headers["X-Error-Code"] == "parameter.required"
    assert reply.headers["X-Request-Id"].startswith("req_")


@pytest.mark.parametrize("path", OPERATIONS)
async def test_what_does_not_match_is_not_found(api: ApiServer, project: dict[str, str], path: str) -> None:
    """`{ "error": "Session not found" }`: unknown, another project, a project session as instant and the other way."""
    instant = await api.create("other room")
    for changes in (
        {"sessionId": "sess_00000000000000000000000000"},
        {"projectId": "proj_2"},
        {"type": "instant"},
        {"sessionId": instant["id"]},
    ):
        reply = await api.call("GET", path, params={**project, **changes})
        assert (reply.status, reply.content) == (404, {"error": "Session not found"}), changes
        assert reply.headers["X-Error-Code"] == "not_found"


@pytest.mark.parametrize("path", OPERATIONS)
async def test_every_other_error_has_the_same_form(api: ApiServer, project: dict[str, str], path: str) -> None:
    """No key, an id that is none, a parameter that isn't there, another method."""
    for method, query, key, status, code in (
        ("GET", project, None, 401, "key.missing"),
        ("GET", {**project, "sessionId": "sess_x"}, "", 400, "id.invalid"),
        ("GET", {**project, "other": "1"}, "", 400, "parameter.unknown"),
        ("GET", {**project, "projectId": "p" * 257}, "", 400, "parameter.invalid"),
        ("POST", project, "", 405, "method.not_allowed"),
    ):
        how = {} if key == "" else {"key": key}
        reply = await api.call(method, path, params=query, **how)
        assert (status, code) == (reply.status, reply.headers["X-Error-Code"])
        assert list(reply.content) == ["error"]
        assert isinstance(reply.content["error"], str)


EVERY = (
    ("GET", "/v1/session/status"),
    ("GET", "/v1/session/transcript"),
    ("GET", "/v1/session/audio"),
    ("GET", "/v1/sessions/summary"),
    ("POST", "/v1/sessions/summary/regenerate"),
)


async def _ask(api: ApiServer, method: str, path: str, query: dict[str, str], **more: Any) -> Reply:
    """One of the five operations; the summary's know no `type`."""
    asked = {name: value for name, value in query.items() if name != "type" or "summary" not in path}
    sent: dict[str, Any] = {"body": asked} if method == "POST" else {"params": asked}
    return await api.call(method, path, **sent, **more)


@pytest.mark.parametrize(("method", "path"), EVERY)
async def test_unauthorized_forbidden_and_the_lost_database_have_the_flat_form(
    api: ApiServer, project: dict[str, str], database_url: str, method: str, path: str
) -> None:
    """`{ "error": string }` for 401, "403/404/500": the missing scope is named, another agent's session isn't found."""
    create = api.dependencies.api_keys.create
    agent_id = (await api.call("GET", f"/v1/sessions/{project['sessionId']}")).content["agent_id"]
    scope = "sessions:write" if method == "POST" else "sessions:read"
    _, lacking = await create("default", KeyTerms(kind="agent", agent_id=agent_id, scopes=SCOPES - {scope}))
    _, stranger = await create("default", KeyTerms(kind="agent", agent_id="agent_b", scopes=SCOPES))
    for key, status, code in (
        ("parley_agent_" + "x" * 43, 401, "key.invalid"),
        (lacking.get_secret_value(), 403, "scope.missing"),
        (stranger.get_secret_value(), 404, "not_found"),
    ):
        reply = await _ask(api, method, path, project, key=key)
        assert (reply.status, reply.headers["X-Error-Code"], list(reply.content)) == (status, code, ["error"])
        if status == 403:
            assert scope in reply.content["error"]
        if status == 404:
            assert reply.content == {"error": "Session not found"}
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
        await conn.execute("ALTER TABLE sessions RENAME TO gone")  # a bug of ours
        reply = await _ask(api, method, path, project)
        await conn.execute("ALTER TABLE gone RENAME TO sessions")
    assert (reply.status, list(reply.content), type(reply.content["error"])) == (500, ["error"], str)
    assert "gone" not in reply.content["error"]


async def test_a_broken_conversation_json_is_500_in_the_flat_form(api: ApiServer, project: dict[str, str]) -> None:
    """`500: { "error": string }`."""
    await api.close_transcript(project["sessionId"], b"{")
    reply = await api.call("GET", "/v1/session/transcript", params=project)
    assert (reply.status, list(reply.content), reply.headers["X-Error-Code"]) == (500, ["error"], "internal")


async def test_what_is_checked_first_is_told_first(api: ApiServer, project: dict[str, str]) -> None:
    """Key, scope, sessionId, type, projectId, the id, the session: each hides what comes after it."""
    wrong = {"type": "other"}
    for query, expected in (
        ({**wrong}, "sessionId is required"),
        ({**wrong, "sessionId": "x"}, 'type must be "project" or "instant"'),
        ({"type": "project", "sessionId": "x"}, "projectId is required when type=project"),
        ({"type": "project", "sessionId": "x", "projectId": "y"}, "Invalid session ID"),
        ({**project, "projectId": "y"}, "Session not found"),
    ):
        for path in ("status", "transcript", "audio"):
            reply = await api.call("GET", f"/v1/session/{path}", params=query)
            assert expected == reply.content["error"], query
            refused = await api.call("GET", f"/v1/session/{path}", params=query, key=None)
            assert refused.headers["X-Error-Code"] == "key.missing"


@pytest.mark.parametrize(
    ("word", "means"),
    [
        *((word, True) for word in ("1", "true", "yes", "True", "YES")),
        *((word, False) for word in ("0", "false", "No")),
    ],
)
async def test_instant_voice_links_is_1_true_or_yes(
    api: ApiServer, project: dict[str, str], word: str, means: bool
) -> None:
    """`"1" | "true" | "yes"`: then the session has no project; the opposites are as if left out."""
    query = {"sessionId": project["sessionId"], "instant_voice_links": word}
    reply = await api.call("GET", "/v1/sessions/summary", params=query)
    assert reply.status == (404 if means else 202)


@pytest.mark.parametrize("word", ["", "2", "on", "yes please", "truе"])
async def test_other_words_of_instant_voice_links_are_refused(
    api: ApiServer, project: dict[str, str], word: str
) -> None:
    """Nothing is silently ignored."""
    query = {"sessionId": project["sessionId"], "instant_voice_links": word}
    reply = await api.call("GET", "/v1/sessions/summary", params=query)
    assert (reply.status, reply.headers["X-Error-Code"]) == (400, "parameter.invalid")
    assert reply.content == {"error": 'instant_voice_links: must be "1", "true" or "yes"'}
    for value in ("yes", 1, None, "true"):
        body = {"sessionId": project["sessionId"], "instant_voice_links": value}
        reply = await api.call("POST", "/v1/sessions/summary/regenerate", body)
        assert (reply.status, list(reply.content)) == (400, ["error"])


@pytest.mark.parametrize("path", [*OPERATIONS, "/v1/session/transcript", "/v1/sessions/summary"])
async def test_a_project_id_that_no_session_can_have_is_a_bad_query(
    api: ApiServer, project: dict[str, str], path: str
) -> None:
    """400, and no session that isn't found: 256 characters are the most."""
    for length, status in ((256, 404), (257, 400)):
        query = {**project, "projectId": "p" * length}
        if path == "/v1/sessions/summary":
            del query["type"]
        reply = await api.call("GET", path, params=query)
        assert reply.status == status
    assert reply.content == {"error": "projectId: must have at most 256 characters, none of them NUL"}


async def test_a_text_session_has_no_ws_url(api: ApiServer) -> None:
    """It has neither room nor audio; the transcript comes when it is over."""
    session = (await api.call("POST", "/api/sessions", {"agent_id": "a"})).content
    query = {"sessionId": session["id"], "type": "instant"}
    reply = await api.call("GET", STATUS, params=query)
    assert (reply.status, reply.content.get("wsUrl"), reply.content["agentId"]) == (200, None, "a")
    audio = await api.call("GET", "/v1/session/audio", params=query)
    assert (audio.status, audio.content["error"]) == (404, f"Audio file not found for session {session['id']}")


async def test_the_audio_is_a_signed_link(api: ApiServer, project: dict[str, str]) -> None:
    """`success`, `sessionId`, `audioUrl`: works without a key."""
    await _end(api, project["sessionId"], "available")
    reply = await api.call("GET", "/v1/session/audio", params=project)
    assert (200, True, project["sessionId"]) == (reply.status, reply.content["success"], reply.content["sessionId"])
    assert list(reply.content) == ["success", "sessionId", "audioUrl"]
    assert f"sessions/{project['sessionId']}/conversation.wav" in reply.content["audioUrl"]
    audio = await api.call("GET", reply.content["audioUrl"].removeprefix(api.base_url), key=None)
    assert (audio.status, audio.body) == (200, b"RIFF")


async def test_no_audio_is_404_with_the_references_text(api: ApiServer, project: dict[str, str]) -> None:
    """`Audio file not found for session ...`, before the end and after one that left none."""
    expected = {"error": f"Audio file not found for session {project['sessionId']}"}
    reply = await api.call("GET", "/v1/session/audio", params=project)
    assert (404, expected) == (reply.status, reply.content)
    assert reply.headers["X-Error-Code"] == "audio.not_ready"
    await api.call("POST", f"/v1/sessions/{project['sessionId']}/cancel")
    reply = await api.call("GET", "/v1/session/audio", params=project)
    assert (404, expected) == (reply.status, reply.content)
    assert reply.headers["X-Error-Code"] == "audio.none"
