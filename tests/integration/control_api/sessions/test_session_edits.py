"""`PATCH`, archive and restore."""

from typing import Any

import pytest

from tests.support.running.api_server import ApiServer


async def test_what_is_sent_replaces_what_was_there_and_the_rest_stays(api: ApiServer) -> None:
    """Each of title, tags and metadata as a whole; null takes the title away; a new ETag."""
    session = await api.create("room-a", title="old", tags=["a", "b"], metadata={"a": 1, "b": 2})
    path = f"/v1/sessions/{session['id']}"
    tag = (await api.call("GET", path)).headers["ETag"]
    changed = await api.call("PATCH", path, {"metadata": {"b": 3}, "title": None})
    assert (changed.status, changed.content["title"], changed.content["metadata"], changed.content["tags"]) == (
        200,
        None,
        {"b": 3},
        ["a", "b"],
    )
    assert changed.content["updated_at"] > session["updated_at"]
    assert (await api.call("GET", path, headers={"If-None-Match": tag})).status == 200
    retagged = await api.call("PATCH", path, {"tags": ["c"]})
    assert (retagged.content["tags"], retagged.content["metadata"]) == (["c"], {"b": 3})
    assert len((await api.call("GET", "/v1/sessions?tag=c")).content["data"]) == 1
    assert (await api.call("GET", "/v1/sessions?tag=a")).content["data"] == []
    events = (await api.call("GET", path + "/events")).content["data"]
    assert [event["data"] for event in events if event["type"] == "session.updated"] == [
        {"fields": ["metadata", "title"]},
        {"fields": ["tags"]},
    ]


async def test_a_patch_that_changes_nothing_writes_nothing(api: ApiServer) -> None:
    """Empty, or with what is there already."""
    session = await api.create("room-a", title="same")
    path = f"/v1/sessions/{session['id']}"
    for body in ({}, {"title": "same"}):
        reply = await api.call("PATCH", path, body)
        assert (reply.status, reply.content) == (200, session)


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"title": 1}, "field.invalid", "title"),
        ({"tags": None}, "field.invalid", "tags"),
        ({"metadata": {"a": {}}}, "field.invalid", "metadata"),
        ({"agent_id": "agent_b"}, "field.unknown", "agent_id"),
        ({"status": "ended"}, "field.unknown", "status"),
    ],
)
async def test_a_bad_patch_is_refused_and_changes_nothing(
    api: ApiServer, body: dict[str, Any], code: str, param: str
) -> None:
    """422 with the field."""
    session = await api.create("room-a")
    path = f"/v1/sessions/{session['id']}"
    reply = await api.call("PATCH", path, body)
    assert (reply.status, reply.code, reply.content["error"]["param"]) == (422, code, param)
    assert (await api.call("GET", path)).content == session


async def test_an_archived_session_leaves_the_lists_and_comes_back(api: ApiServer) -> None:
    """archive and restore are idempotent; the status doesn't move, and the session still ends as before."""
    session = await api.create("room-a")
    path = f"/v1/sessions/{session['id']}"
    archived = await api.call("POST", path + "/archive")
    assert (archived.status, archived.content["status"]) == (200, "queued")
    assert archived.content["archived_at"] is not None
    again = await api.call("POST", path + "/archive", {})
    assert (again.status, again.content) == (200, archived.content)
    assert (await api.call("GET", "/v1/sessions")).content["data"] == []
    assert len((await api.call("GET", "/v1/sessions?archived=true")).content["data"]) == 1
    ended = await api.call("POST", path + "/end")
    assert (ended.content["status"], ended.content["archived_at"]) == ("canceled", archived.content["archived_at"])
    restored = await api.call("POST", path + "/restore")
    assert (restored.status, restored.content["archived_at"]) == (200, None)
    assert (await api.call("POST", path + "/restore")).content == restored.content
    assert len((await api.call("GET", "/v1/sessions")).content["data"]) == 1
