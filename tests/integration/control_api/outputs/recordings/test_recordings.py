"""`…/recording`, `…/audio` and the signed link behind it."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from sqlalchemy import text

from sessions.ids import new_uuid, parse_id
from tests.support.running.api_server import ApiServer, api_server
from tests.support.services.lacking_storage import LackingStorage, lacking_storage

TRACK = {
    "identity": "ann",
    "name": "microphone",
    "sid": "TR_1",
    "side": "room",
    "first_sample": 480,
    "samples": 71_520,
    "frames": 149,
}
AUDIO = bytes(range(256)) * 40


async def store_recording(api: ApiServer, session_id: str, state: str = "available") -> str:
    """Make the session ended, with a stored recording, as the finalizer does; the object's key."""
    key = f"sessions/{session_id}/conversation.wav"
    await api.dependencies.objects.put_bytes(key, AUDIO)
    values = {
        "session": parse_id("sess", session_id),
        "id": new_uuid(),
        "key": key,
        "sha256": hashlib.sha256(AUDIO).hexdigest(),
        "size": len(AUDIO),
        "state": state,
        "tracks": json.dumps([TRACK]),
    }
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text(
                "INSERT INTO recordings (session_id, id, plan, frozen_at, committed_at, object_key, sha256, size_bytes,"
                " duration_ms, sample_rate, channels, peak_dbfs, tracks, gaps) VALUES (:session, :id, '{}', now(),"
                " now(), :key, :sha256, :size, 1500, 48000, 1, -6.5, :tracks,"
                ' \'[{"start_ms": 10, "end_ms": 20, "code": "gap.rejoin"}]\')'
            ),
            {name: value for name, value in values.items() if name != "state"},
        )
        await conn.execute(
            text("UPDATE sessions SET status = 'ended', recording_state = :state WHERE id = :session"),
            {"state": state, "session": values["session"]},
        )
    return key


async def test_a_recording_that_is_not_finished_is_409_and_one_that_never_was_404(api: ApiServer) -> None:
    """By the session's state."""
    session = await api.create("room")
    path = f"/v1/sessions/{session['id']}"
    reply = await api.call("GET", path + "/audio")
    assert (reply.status, reply.code) == (409, "audio.not_ready")
    recording = (await api.call("GET", path + "/recording")).content
    assert (recording["object"], recording["id"]) == ("recording", None)
    assert recording["state"] in ("none", "pending")
    assert (recording["tracks"], recording["gaps"], recording["size_bytes"]) == ([], [], None)
    await api.call("POST", path + "/cancel")
    reply = await api.call("GET", path + "/audio")
    assert (reply.status, reply.code) == (404, "audio.none")
    assert (await api.call("GET", path + "/recording")).content["state"] == "none"


async def test_a_stored_recording_shows_its_facts(api: ApiServer) -> None:
    """Digest, size, length, gaps."""
    session = await api.create("room")
    await store_recording(api, session["id"], "incomplete")
    recording = (await api.call("GET", f"/v1/sessions/{session['id']}/recording")).content
    assert recording["state"] == "incomplete"
    assert recording["id"].startswith("rec_")
    assert (recording["sha256"], recording["size_bytes"]) == (hashlib.sha256(AUDIO).hexdigest(), len(AUDIO))
    assert (recording["duration_ms"], recording["sample_rate"], recording["channels"]) == (1500, 48000, 1)
    assert recording["gaps"] == [{"start_ms": 10, "end_ms": 20, "code": "gap.rejoin", "identity": None}]
    assert recording["tracks"] == [{**TRACK, "participant_name": None}]


async def test_tracks_say_what_their_participants_are_called(api: ApiServer) -> None:
    """As the room said; a track has a name of its own."""
    session = await api.create("room")
    await store_recording(api, session["id"])
    await api.come(session["id"], ["somebody else", "ann", "ann"])
    [track] = (await api.call("GET", f"/v1/sessions/{session['id']}/recording")).content["tracks"]
    assert (track["identity"], track["participant_name"], track["name"]) == ("ann", "Ann", "microphone")


async def test_the_signed_link_serves_the_file_and_its_ranges_without_a_key(api: ApiServer) -> None:
    """302 to an absolute URL for about an hour: 200, 206, suffixes, 304, HEAD; 416 in the envelope."""
    session = await api.create("room")
    await store_recording(api, session["id"])
    reply = await api.call("GET", f"/v1/sessions/{session['id']}/audio")
    assert (reply.status, reply.headers["Location"]) == (302, reply.content["url"])
    url = reply.headers["Location"]
    assert url.startswith(api.base_url + "/v1/objects/sessions/")
    path = url.removeprefix(api.base_url)
    whole = await api.call("GET", path, key=None)
    assert (whole.status, whole.body, whole.headers["Content-Type"]) == (200, AUDIO, "audio/wav")
    assert whole.headers["X-Request-Id"].startswith("req_")
    for wanted, expected, content_range in [
        ("bytes=10-19", AUDIO[10:20], "bytes 10-19/10240"),
        ("bytes=-7", AUDIO[-7:], "bytes 10233-10239/10240"),
        ("bytes=10000-", AUDIO[10000:], "bytes 10000-10239/10240"),
    ]:
        part = await api.call("GET", path, key=None, headers={"Range": wanted})
        assert (part.status, part.body, part.headers["Content-Range"]) == (206, expected, content_range)
    for wanted in ("bytes=99999-", "bytes=x", "bytes=5-1"):
        refused = await api.call("GET", path, key=None, headers={"Range": wanted})
        assert (refused.status, refused.code) == (416, "range.invalid"), wanted
        assert refused.headers["Content-Range"] == "bytes */10240"
    head = await api.call("HEAD", path, key=None)
    assert (head.status, head.headers["Content-Length"], head.headers["Accept-Ranges"]) == (200, "10240", "bytes")
    fresh = await api.call("GET", path, key=None, headers={"If-None-Match": whole.headers["ETag"]})
    assert (fresh.status, fresh.body) == (304, b"")


async def test_ranges_are_those_of_rfc_9110(api: ApiServer) -> None:
    """Other units and several ranges get the whole, HEAD no part, If-Range only a part of what it names."""
    session = await api.create("room")
    await store_recording(api, session["id"])
    url = (await api.call("GET", f"/v1/sessions/{session['id']}/audio")).headers["Location"]
    path = url.removeprefix(api.base_url)
    whole = await api.call("GET", path, key=None)
    etag, modified = whole.headers["ETag"], whole.headers["Last-Modified"]
    for headers in (
        {"Range": "lines=1-2"},
        {"Range": "bytes=0-1,5-6"},
        {"Range": "bytes=0-1", "If-Range": '"stale"'},
        {"Range": "bytes=0-1", "If-Range": f"W/{etag}"},
        {"Range": "bytes=0-1", "If-Range": "Sat, 01 Jan 2000 00:00:00 GMT"},
        {"Range": "bytes=99999-", "If-Range": '"stale"'},
    ):
        reply = await api.call("GET", path, key=None, headers=headers)
        assert (reply.status, reply.body) == (200, AUDIO), headers
    for validator in (etag, modified):
        reply = await api.call("GET", path, key=None, headers={"Range": "bytes=3-4", "If-Range": validator})
        assert (reply.status, reply.body) == (206, AUDIO[3:5])
    for wanted in ("bytes=0-1", "bytes=99999-"):
        head = await api.call("HEAD", path, key=None, headers={"Range": wanted})
        assert (head.status, head.headers["Content-Length"]) == (200, str(len(AUDIO)))
    reply = await api.call("GET", path, key=None, headers={"Range": "bytes=99999-", "If-None-Match": etag})
    assert reply.status == 304
    reply = await api.call("GET", path, key=None, headers={"Range": "bytes=99999-", "If-Range": etag})
    assert (reply.status, reply.code) == (416, "range.invalid")


async def test_links_that_are_forged_or_expired_are_403(api: ApiServer) -> None:
    """Another key, another time, no signature, another name, a path that climbs."""
    session = await api.create("room")
    key = await store_recording(api, session["id"])
    url = (await api.call("GET", f"/v1/sessions/{session['id']}/audio")).headers["Location"]
    parts = urlsplit(url)
    expires, signature, name = (pair.partition("=")[2] for pair in parts.query.split("&"))
    for path in (
        f"/v1/objects/{key}",
        f"/v1/objects/{key}?expires={int(expires) + 1}&signature={signature}&name={name}",
        f"/v1/objects/{key}?expires={expires}&signature={signature[:-2]}xx&name={name}",
        f"/v1/objects/{key}?expires={expires}&signature={signature}&name=evil.exe",
        f"/v1/objects/{key}?expires={expires}&signature={signature}",
        f"/v1/objects/{key}?expires=-1&signature={signature}",
        f"/v1/objects/{key}?expires=0{expires}&signature={signature}",
        f"/v1/objects/{key}x?{parts.query}",
        f"/v1/objects/sessions/..%2F..%2Fetc/passwd?{parts.query}",
        f"/v1/objects/%2Fetc/passwd?{parts.query}",
    ):
        reply = await api.call("GET", path, key=None)
        assert (reply.status, reply.code) == (403, "audio.link_invalid"), path
    reply = await api.call("GET", f"{parts.path}?{parts.query}&x=1", key=None)
    assert (reply.status, reply.code) == (400, "parameter.unknown")


async def test_a_link_to_a_file_that_is_gone_is_404(api: ApiServer) -> None:
    """In the envelope."""
    session = await api.create("room")
    key = await store_recording(api, session["id"])
    url = (await api.call("GET", f"/v1/sessions/{session['id']}/audio")).headers["Location"]
    await api.dependencies.objects.delete(key)
    reply = await api.call("GET", url.removeprefix(api.base_url), key=None)
    assert (reply.status, reply.code) == (404, "not_found")


async def test_recordings_in_s3_are_linked_to_directly(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link is the storage's own, signed, and serves ranges without a key of ours."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    async with aiohttp.ClientSession() as http, http.put(f"{endpoint}/bucket") as made:
        assert made.status == 200
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "something")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    async with api_server(database_url, tmp_path, storage_url="s3://bucket/parley") as api:
        session = await api.create("room")
        await store_recording(api, session["id"])
        reply = await api.call("GET", f"/v1/sessions/{session['id']}/audio")
        assert reply.status == 302
        assert reply.headers["Location"].startswith(f"{endpoint}/bucket/parley/sessions/")
        async with api.http.get(reply.headers["Location"], headers={"Range": "bytes=10-19"}) as answer:
            assert (answer.status, await answer.read()) == (206, AUDIO[10:20])
    server.stop()


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[LackingStorage]:
    """An S3 that lacks nothing yet, found by the standard variables."""
    with lacking_storage() as opened:
        for name, value in opened.variables.items():
            monkeypatch.setenv(name, value)
        yield opened


async def test_links_name_the_storage_as_clients_reach_it(
    database_url: str, tmp_path: Path, storage: LackingStorage
) -> None:
    """Signed for that host: the signature covers it. We go on using our own name for it."""
    public = "https://recordings.example.com"
    async with api_server(database_url, tmp_path, storage_url=storage.url, storage_public_url=public) as api:
        session = await api.create("room")
        await store_recording(api, session["id"])
        link = (await api.call("GET", f"/v1/sessions/{session['id']}/audio")).headers["Location"]
        ours = await api.dependencies.objects.signed_url("x", 60, for_us=True)
    assert link.startswith(f"{public}/{storage.bucket}/parley/sessions/{session['id']}/conversation.wav?")
    assert ours is not None
    assert ours.startswith(f"{storage.endpoint}/{storage.bucket}/")
    signatures = [urlsplit(url).query.partition("X-Amz-Signature=")[2] for url in (link, ours)]
    assert all(signatures)


async def test_recordings_in_s3_are_passed_on_by_the_api_where_that_is_wanted(
    database_url: str, tmp_path: Path, storage: LackingStorage
) -> None:
    """Links to us; 200, 206, 304, 416 and HEAD with right lengths, in several reads of the storage."""
    audio = AUDIO * 900  # 9.2 MB: three reads
    async with api_server(database_url, tmp_path, storage_url=storage.url, storage_links="api") as api:
        session = await api.create("room")
        key = await store_recording(api, session["id"])
        await api.dependencies.objects.put_bytes(key, audio)
        url = (await api.call("GET", f"/v1/sessions/{session['id']}/audio")).headers["Location"]
        assert url.startswith(api.base_url + "/v1/objects/sessions/")
        path = url.removeprefix(api.base_url)
        whole = await api.call("GET", path, key=None)
        assert (whole.status, whole.body == audio, whole.headers["Content-Type"]) == (200, True, "audio/wav")
        assert whole.headers["Content-Length"] == str(len(audio))
        etag, modified = whole.headers["ETag"], whole.headers["Last-Modified"]
        for headers, expected, content_range in [
            ({"Range": "bytes=10-19"}, audio[10:20], f"bytes 10-19/{len(audio)}"),
            ({"Range": "bytes=-7"}, audio[-7:], f"bytes {len(audio) - 7}-{len(audio) - 1}/{len(audio)}"),
            ({"Range": "bytes=1-8999999", "If-Range": etag}, audio[1:9000000], f"bytes 1-8999999/{len(audio)}"),
            ({"Range": "bytes=0-0", "If-Range": modified}, audio[:1], f"bytes 0-0/{len(audio)}"),
        ]:
            part = await api.call("GET", path, key=None, headers=headers)
            assert (part.status, part.body == expected, part.headers["Content-Range"]) == (206, True, content_range)
        for headers in (
            {"Range": "lines=1-2"},
            {"Range": "bytes=0-1,5-6"},
            {"Range": "bytes=0-1", "If-Range": '"old"'},
        ):
            ignored = await api.call("GET", path, key=None, headers=headers)
            assert (ignored.status, len(ignored.body)) == (200, len(audio)), headers
        refused = await api.call("GET", path, key=None, headers={"Range": "bytes=99999999-"})
        assert (refused.status, refused.code) == (416, "range.invalid")
        assert refused.headers["Content-Range"] == f"bytes */{len(audio)}"
        head = await api.call("HEAD", path, key=None, headers={"Range": "bytes=0-1"})
        assert (head.status, head.headers["Content-Length"], head.body) == (200, str(len(audio)), b"")
        fresh = await api.call("GET", path, key=None, headers={"If-None-Match": etag})
        assert (fresh.status, fresh.body) == (304, b"")
        storage.lacks = {"secret"}
        away = await api.call("GET", path, key=None)
        assert (away.status, away.code) == (503, "storage.unavailable")
        storage.lacks = set()
        await api.dependencies.objects.delete(key)
        gone = await api.call("GET", path, key=None)
        assert (gone.status, gone.code) == (404, "not_found")


async def test_a_file_that_the_storage_breaks_off_is_never_taken_for_a_whole_one(
    database_url: str, tmp_path: Path, storage: LackingStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks before the promised length."""
    async with api_server(database_url, tmp_path, storage_url=storage.url, storage_links="api") as api:
        session = await api.create("room")
        key = await store_recording(api, session["id"])
        objects = api.dependencies.objects
        await objects.put_bytes(key, AUDIO * 900)
        read_range = objects.read_range

        async def first_only(key: str, start: int, end: int) -> bytes:
            if start:
                storage.lacks = {"ranged_read"}
            return await read_range(key, start, end)

        monkeypatch.setattr(objects, "read_range", first_only)
        url = (await api.call("GET", f"/v1/sessions/{session['id']}/audio")).headers["Location"]
        with pytest.raises(aiohttp.ClientPayloadError):
            await api.call("GET", url.removeprefix(api.base_url), key=None)


async def test_a_page_gets_the_link_in_a_body(api: ApiServer) -> None:
    """As no browser shows it a redirect; the link works."""
    session = await api.create("room")
    await store_recording(api, session["id"])
    reply = await api.call("GET", f"/v1/sessions/{session['id']}/audio?redirect=false")
    assert (reply.status, reply.headers["Cache-Control"]) == (200, "no-store")
    assert "Location" not in reply.headers
    async with api.http.get(reply.content["url"]) as answer:
        assert await answer.read() == AUDIO
