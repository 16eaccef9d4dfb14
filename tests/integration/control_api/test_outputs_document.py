"""Document 000, operation by operation; what is quoted is quoted from it."""

import re

import pytest
from sqlalchemy import text

from sessions.ids import new_uuid, parse_id
from tests.support.api_server import ROOM_URL, ApiServer

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
async def test_a_bad_query_is_400_with_the_documents_text(
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
        ("POST", project, "", 405, "method.not_allowed"),
    ):
        how = {} if key == "" else {"key": key}
        reply = await api.call(method, path, params=query, **how)
        assert (status, code) == (reply.status, reply.headers["X-Error-Code"])
        assert list(reply.content) == ["error"]
        assert isinstance(reply.content["error"], str)


async def test_the_audio_is_a_signed_link(api: ApiServer, project: dict[str, str]) -> None:
    """`success`, `sessionId`, `audioUrl`: works without a key."""
    await _end(api, project["sessionId"], "available")
    reply = await api.call("GET", "/v1/session/audio", params=project)
    assert (200, True, project["sessionId"]) == (reply.status, reply.content["success"], reply.content["sessionId"])
    assert list(reply.content) == ["success", "sessionId", "audioUrl"]
    assert f"sessions/{project['sessionId']}/conversation.wav" in reply.content["audioUrl"]
    audio = await api.call("GET", reply.content["audioUrl"].removeprefix(api.base_url), key=None)
    assert (audio.status, audio.body) == (200, b"RIFF")


async def test_no_audio_is_404_with_the_documents_text(api: ApiServer, project: dict[str, str]) -> None:
    """`Audio file not found for session ...`, before the end and after one that left none."""
    expected = {"error": f"Audio file not found for session {project['sessionId']}"}
    reply = await api.call("GET", "/v1/session/audio", params=project)
    assert (404, expected) == (reply.status, reply.content)
    assert reply.headers["X-Error-Code"] == "audio.not_ready"
    await api.call("POST", f"/v1/sessions/{project['sessionId']}/cancel")
    reply = await api.call("GET", "/v1/session/audio", params=project)
    assert (404, expected) == (reply.status, reply.content)
    assert reply.headers["X-Error-Code"] == "audio.none"
