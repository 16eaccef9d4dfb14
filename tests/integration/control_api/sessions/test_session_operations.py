"""Every operation on sessions does what the contract says."""

import json

from control_api.sessions.bodies.resource_models import SessionResource
from tests.support.running.api_server import ROOM_URL, ApiServer, create_body, worker_token


async def test_a_created_session_answers_with_every_field_and_its_effective_values(api: ApiServer) -> None:
    """201, queued, defaults filled in, nulls present, the token redacted."""
    reply = await api.call("POST", "/v1/sessions", create_body("room-a", metadata={"a": 1}, tags=["x"]))
    session = reply.content
    assert reply.status == 201
    assert set(session) == set(SessionResource.model_fields)
    assert session["object"] == "session"
    assert session["status"] == "queued"
    assert session["transport"] == {
        "type": "livekit",
        "url": ROOM_URL,
        "room_name": "room-a",
        "worker_token": "[redacted]",
        "worker_identity": "recorder",
        "audio_source": "track",
        "subscribe_to_identity": None,
        "synthetic_audio_if_no_input": False,
        "e2ee": None,
    }
    assert session["max_duration_seconds"] == 3600
    assert session["idle_timeout_seconds"] == 30
    assert session["recording"] == {"layout": "mono", "on_pause": "silence", "formats": [], "tracks": False}
    assert session["transcription"] == {"mode": "after", "language": None}
    assert session["quality"] == "standard"
    assert session["metadata"] == {"a": 1}
    assert session["tags"] == ["x"]
    assert session["error"] is None
    assert session["agent_id"].startswith("agent_")
    assert session["usage"] == {
        "billable_seconds": 0,
        "billable_ms": 0,
        "credited_ms": 0,
        "frames": 0,
        "audio_ms_received": 0,
        "as_of": None,
        "provisional": True,
    }
    assert reply.headers["Location"] == f"/v1/sessions/{session['id']}"
    assert reply.headers["X-Request-Id"].startswith("req_")


async def test_the_key_of_an_encrypted_room_is_taken_and_never_shown(api: ApiServer) -> None:
    """Not on the resource, not when the request is repeated, not in what is wrong with another one."""
    body = create_body("room-a")
    body["transport"]["e2ee"] = {"shared_key": "our own passphrase"}
    headers = {"Idempotency-Key": "k"}
    for _ in range(2):
        reply = await api.call("POST", "/v1/sessions", body, headers=headers)
        assert (reply.status, reply.content["transport"]["e2ee"]) == (201, {"shared_key": "[redacted]"})
        assert "our own passphrase" not in str(reply)
    read = await api.call("GET", f"/v1/sessions/{reply.content['id']}")
    assert read.content["transport"]["e2ee"] == {"shared_key": "[redacted]"}
    for wrong in ("", "p" * 1025, ["our own passphrase"], 7, None):
        body["transport"]["e2ee"] = {"shared_key": wrong}
        refused = await api.call("POST", "/v1/sessions", body)
        assert (refused.status, refused.content["error"]["param"]) == (422, "transport.e2ee.shared_key")
        assert "our own" not in str(refused)


async def test_how_speech_is_transcribed_is_said_and_kept(api: ApiServer) -> None:
    """What is no mode, or no language tag, is refused."""
    for mode in ("off", "live"):
        wanted = {"mode": mode, "language": "pt-BR"}
        reply = await api.call("POST", "/v1/sessions", {**create_body(f"room-{mode}"), "transcription": wanted})
        read = await api.call("GET", f"/v1/sessions/{reply.content['id']}")
        assert wanted == reply.content["transcription"] == read.content["transcription"]
    for wrong in ({"mode": "always"}, {"language": "Portuguese!"}, {"language": ""}):
        refused = await api.call("POST", "/v1/sessions", {**create_body("room-b"), "transcription": wrong})
        [name] = wrong
        assert (refused.status, refused.content["error"]["param"]) == (422, f"transcription.{name}")


async def test_byte_streams_are_received_with_a_token_that_lets_agents_wait_for_the_worker(api: ApiServer) -> None:
    """201, said on the resource; a hidden token is taken for tracks only, also later."""
    transport = create_body("room-a")["transport"]
    transport |= {"audio_source": "data_stream", "subscribe_to_identity": "agent"}
    reply = await api.call("POST", "/v1/sessions", {"transport": transport})
    assert (reply.status, reply.content["transport"]["audio_source"]) == (201, "data_stream")
    path = f"/v1/sessions/{reply.content['id']}/worker_token"
    hidden = await api.call("PUT", path, {"worker_token": worker_token("room-a", hidden=True)})
    assert (hidden.status, hidden.content["error"]["code"], hidden.content["error"]["param"]) == (
        422,
        "audio_source.unsupported",
        "worker_token",
    )
    seen = await api.call("PUT", path, {"worker_token": worker_token("room-a", canPublish=False, canPublishData=True)})
    assert seen.status == 200


async def test_both_spellings_of_an_id_and_any_case_find_the_session(api: ApiServer) -> None:
    """`sess_…` in lower case and `session_<hex>` are the same session."""
    session = await api.create("room-a")
    reply = await api.call("GET", f"/v1/sessions/{session['id'].lower()}")
    assert (reply.status, reply.content) == (200, session)


async def test_an_unchanged_session_answers_304_and_a_changed_one_200(api: ApiServer) -> None:
    """The ETag follows the version."""
    session = await api.create("room-a")
    path = f"/v1/sessions/{session['id']}"
    first = await api.call("GET", path)
    tag = first.headers["ETag"]
    unchanged = await api.call("GET", path, headers={"If-None-Match": f'"other", W/{tag}'})
    assert (unchanged.status, unchanged.body, unchanged.headers["ETag"]) == (304, b"", tag)
    await api.call("POST", path + "/cancel")
    changed = await api.call("GET", path, headers={"If-None-Match": tag})
    assert (changed.status, changed.content["status"]) == (200, "canceled")
    assert (await api.call("GET", path, headers={"If-None-Match": "*"})).status == 304


async def test_a_session_can_say_who_was_there(api: ApiServer) -> None:
    """As lists can: on request, in both spellings of ids, and to those who may read content."""
    session = await api.create("room-a", agent_id="agent_x")
    await api.come(session["id"], ["ann", "bot", "ann"])
    body = {"kind": "agent", "agent_id": "agent_x", "scopes": ["sessions:read_metadata"]}
    blind = (await api.call("POST", "/v1/api_keys", body)).content["key"]
    path = f"/v1/sessions/{session['id']}"
    in_hex = {"Accept": "application/vnd.parley.session+json"}

    plain = (await api.call("GET", path)).content
    shown = (await api.call("GET", f"{path}?expand=participants")).content
    listed = (await api.call("GET", "/v1/sessions?expand=participants")).content["data"]
    hexed = json.loads((await api.call("GET", f"{path}?expand=participants", headers=in_hex)).body)
    unseen = (await api.call("GET", f"{path}?expand=participants", key=blind)).content
    refused = await api.call("GET", f"{path}?expand=people")

    assert plain["participants"] is unseen["participants"] is None
    assert [one["identity"] for one in shown["participants"]["data"]] == ["ann", "bot"]
    assert [shown] == listed
    assert hexed["participants"] == shown["participants"]
    assert (refused.status, refused.code) == (422, "parameter.invalid")


async def test_who_comes_changes_the_etag_of_an_answer_that_says_who_was_there(api: ApiServer) -> None:
    """And of no other: nothing of the session itself has changed."""
    session = await api.create("room-a")
    tags = {}
    for query in ("", "?expand=participants"):
        reply = await api.call("GET", f"/v1/sessions/{session['id']}{query}")
        tags[query] = {"If-None-Match": reply.headers["ETag"]}
        assert (await api.call("GET", f"/v1/sessions/{session['id']}{query}", headers=tags[query])).status == 304
    await api.come(session["id"], ["ann"])

    again = [
        (await api.call("GET", f"/v1/sessions/{session['id']}{query}", headers=tag)).status
        for query, tag in tags.items()
    ]

    assert tags[""] != tags["?expand=participants"]
    assert again == [304, 200]


async def test_a_session_that_never_ran_is_canceled_by_end_and_stays_so(api: ApiServer) -> None:
    """end and cancel are idempotent; settled sessions answer 200 unchanged."""
    session = await api.create("room-a")
    path = f"/v1/sessions/{session['id']}"
    ended = await api.call("POST", path + "/end")
    assert (ended.status, ended.content["status"], ended.content["end_reason"]) == (200, "canceled", "end.requested")
    for verb in ("end", "cancel"):
        again = await api.call("POST", f"{path}/{verb}", {})
        assert (again.status, again.content) == (200, ended.content)


async def test_the_timeline_lists_transitions_oldest_first(api: ApiServer) -> None:
    """created → queued → canceled, with the code."""
    session = await api.create("room-a")
    await api.call("POST", f"/v1/sessions/{session['id']}/cancel")
    reply = await api.call("GET", f"/v1/sessions/{session['id']}/timeline")
    shown = [(row["status_from"], row["status_to"], row["code"]) for row in reply.content["data"]]
    assert shown == [
        (None, "created", None),
        ("created", "queued", None),
        ("queued", "canceled", "cancel.requested"),
    ]
    assert reply.content["has_more"] is False


async def test_events_are_paged_by_seq(api: ApiServer) -> None:
    """`after` takes `next_cursor`; the last page has none."""
    session = await api.create("room-a")
    path = f"/v1/sessions/{session['id']}"
    await api.call("POST", path + "/cancel")
    first = (await api.call("GET", path + "/events?limit=2")).content
    assert ([row["seq"] for row in first["data"]], first["has_more"], first["next_cursor"]) == ([1, 2], True, "2")
    rest = (await api.call("GET", f"{path}/events?after={first['next_cursor']}")).content
    assert ([row["seq"] for row in rest["data"]], rest["has_more"], rest["next_cursor"]) == ([3, 4], False, None)
    assert [row["type"] for row in rest["data"]] == ["transcript.none", "session.canceled"]
    assert rest["data"][0]["id"].startswith("evt_")


async def test_a_fresh_token_for_the_same_room_and_identity_replaces_the_first(api: ApiServer) -> None:
    """200 with the resource; another room or identity is 422; a settled session 409."""
    session = await api.create("room-a")
    path = f"/v1/sessions/{session['id']}/worker_token"
    assert (await api.call("PUT", path, {"worker_token": worker_token("room-a")})).status == 200
    wrong_room = await api.call("PUT", path, {"worker_token": worker_token("room-b")})
    assert (wrong_room.status, wrong_room.code) == (422, "worker_token.wrong_room")
    assert wrong_room.content["error"]["param"] == "worker_token"
    other = await api.call("PUT", path, {"worker_token": worker_token("room-a", "somebody")})
    assert (other.status, other.code) == (422, "worker_token.identity_mismatch")
    await api.call("POST", f"/v1/sessions/{session['id']}/cancel")
    late = await api.call("PUT", path, {"worker_token": worker_token("room-a")})
    assert (late.status, late.code) == (409, "transition.invalid")


async def test_an_active_session_holds_its_room_and_identity(api: ApiServer) -> None:
    """409 names the session that is in the way; after its end the place is free."""
    session = await api.create("room-a")
    refused = await api.call("POST", "/v1/sessions", create_body("room-a"))
    assert (refused.status, refused.code) == (409, "room.identity_in_use")
    assert refused.content["error"]["existing_session_id"] == session["id"]
    await api.create("room-a", transport={"worker_token": worker_token("room-a", "another")})
    await api.call("POST", f"/v1/sessions/{session['id']}/cancel")
    await api.create("room-a")


async def test_integral_floats_are_integers_and_the_largest_duration_is_a_setting(api: ApiServer) -> None:
    """JSON Schema calls 25.0 an integer; 14401 s is more than the default of the setting."""
    session = await api.create("room-a", max_duration_seconds=25.0, idle_timeout_seconds=600)
    assert (session["max_duration_seconds"], session["idle_timeout_seconds"]) == (25, 600)
    refused = await api.call("POST", "/v1/sessions", create_body("room-b", max_duration_seconds=14401))
    assert (refused.status, refused.code) == (422, "field.invalid")
    assert refused.content["error"]["param"] == "max_duration_seconds"
