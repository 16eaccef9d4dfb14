"""Whatever a client sends as a body: the envelope, a code of the registry, nothing written."""

import asyncio
import json
import time
from typing import Any

from sessions.codes import CODES
from tests.support.network.loopback import connection
from tests.support.running.api_server import MASTER_KEY, ApiServer, create_body, worker_token

JSON = {"Content-Type": "application/json"}


def _with(**fields: Any) -> dict[str, Any]:
    return create_body("room", **fields)


def _transport(**fields: Any) -> dict[str, Any]:
    return create_body("room", transport=fields)


def _without(name: str) -> dict[str, Any]:
    body = create_body("room")
    del body["transport"][name]
    return body


# body → status, code, param
REFUSED: list[tuple[Any, int, str, str]] = [
    ({}, 422, "field.required", "transport"),
    ({"transport": None}, 422, "field.invalid", "transport"),
    ({"transport": "livekit"}, 422, "field.invalid", "transport"),
    ({"transport": []}, 422, "field.invalid", "transport"),
    ({"transport": {}}, 422, "field.required", "transport.type"),
    ({"transport": {"type": "sip"}}, 422, "field.invalid", "transport.type"),
    ({"transport": {"type": 1}}, 422, "field.invalid", "transport.type"),
    (_without("url"), 422, "field.required", "transport.url"),
    (_without("room_name"), 422, "field.required", "transport.room_name"),
    (_without("worker_token"), 422, "field.required", "transport.worker_token"),
    (_transport(url=7), 422, "field.invalid", "transport.url"),
    (_transport(room_name=""), 422, "field.invalid", "transport.room_name"),
    (_transport(room_name="r" * 257), 422, "field.invalid", "transport.room_name"),
    (_transport(worker_token={"a": 1}), 422, "field.invalid", "transport.worker_token"),
    (_transport(worker_token="x" * 9000), 422, "field.invalid", "transport.worker_token"),
    (_transport(synthetic_audio_if_no_input="yes"), 422, "field.invalid", "transport.synthetic_audio_if_no_input"),
    (_transport(audio_source="file"), 422, "field.invalid", "transport.audio_source"),
    (_transport(color="red"), 422, "field.unknown", "transport.color"),
    (_with(color="red"), 422, "field.unknown", "color"),
    (_with(quality="best"), 422, "field.invalid", "quality"),
    *((_with(agent_id=name), 422, "field.invalid", "agent_id") for name in ("", ".", "..", "a" * 257)),
    (_with(max_duration_seconds=0), 422, "field.invalid", "max_duration_seconds"),
    (_with(max_duration_seconds="60"), 422, "field.invalid", "max_duration_seconds"),
    (_with(max_duration_seconds=True), 422, "field.invalid", "max_duration_seconds"),
    (_with(max_duration_seconds=1.5), 422, "field.invalid", "max_duration_seconds"),
    (_with(max_duration_seconds=10**400), 422, "field.invalid", "max_duration_seconds"),
    (_with(idle_timeout_seconds=601), 422, "field.invalid", "idle_timeout_seconds"),
    (_with(idle_timeout_seconds=None), 422, "field.invalid", "idle_timeout_seconds"),
    (_with(recording={"layout": "5.1"}), 422, "field.invalid", "recording.layout"),
    (_with(recording={"codec": "opus"}), 422, "field.unknown", "recording.codec"),
    (_with(metadata=[]), 422, "field.invalid", "metadata"),
    (_with(metadata={"a": {"b": 1}}), 422, "field.invalid", "metadata"),
    (_with(metadata={"a": 2**60}), 422, "field.invalid", "metadata"),
    (_with(metadata={"a": "x" * 8192}), 422, "field.invalid", "metadata"),
    (_with(tags="support"), 422, "field.invalid", "tags"),
    (_with(tags=["a"] * 51), 422, "field.invalid", "tags"),
    (_with(tags=["ok", ""]), 422, "field.invalid", "tags.1"),
    (_with(tags=[7]), 422, "field.invalid", "tags.0"),
    (_with(title=7), 422, "field.invalid", "title"),
    (_with(start_at="tomorrow"), 422, "field.invalid", "start_at"),
    (_with(start_at="2026-11-22"), 422, "field.invalid", "start_at"),
    (_with(start_at="2999-01-01T00:00:00Z"), 422, "worker_token.expired", "transport.worker_token"),
    (_transport(url="ftp://rooms.example.com"), 422, "transport.url_not_allowed", "transport.url"),
    (_transport(url="wss://user:pw@rooms.example.com"), 422, "transport.url_not_allowed", "transport.url"),
    (_transport(url="wss://rooms.example.com?x=1"), 422, "transport.url_not_allowed", "transport.url"),
    (_transport(url="ws://127.0.0.1:7880"), 422, "transport.url_not_allowed", "transport.url"),
    (_transport(url="ws://localhost:7880"), 422, "transport.url_not_allowed", "transport.url"),
    (_transport(url="ws://[::1]"), 422, "transport.url_not_allowed", "transport.url"),
    (_transport(url="http://169.254.169.254"), 422, "transport.url_not_allowed", "transport.url"),
    (_transport(url="http://2130706433"), 422, "transport.url_not_allowed", "transport.url"),
    (_transport(worker_token="no.jwt"), 422, "worker_token.malformed", "transport.worker_token"),
    (_transport(worker_token=""), 422, "worker_token.malformed", "transport.worker_token"),
    (_transport(worker_token=worker_token("room", ttl=-5)), 422, "worker_token.expired", "transport.worker_token"),
    (_transport(worker_token=worker_token("other")), 422, "worker_token.wrong_room", "transport.worker_token"),
    (
        _transport(worker_token=worker_token("room", roomJoin=False)),
        422,
        "worker_token.missing_grant",
        "transport.worker_token",
    ),
    (
        _transport(worker_token=worker_token("room", canSubscribe=False)),
        422,
        "worker_token.missing_grant",
        "transport.worker_token",
    ),
    (
        _transport(audio_source="data_stream", worker_token=worker_token("room", hidden=True)),
        422,
        "audio_source.unsupported",
        "transport.worker_token",
    ),
    (
        _transport(audio_source="data_stream", worker_token=worker_token("room", canPublish=False)),
        422,
        "worker_token.missing_grant",
        "transport.worker_token",
    ),
    (_transport(worker_identity="somebody"), 422, "worker_token.identity_mismatch", "transport.worker_token"),
    ({"transport": {"type": "pipecat"}}, 400, "transport.unsupported", "transport.type"),
    ({"transport": {"type": "websocket", "url": "wss://x", "n": 1}}, 400, "transport.unsupported", "transport.type"),
]

# bytes that are no acceptable JSON object
MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "trailing": b"{}{}",
    "array": b"[]",
    "text": b'"x"',
    "null": b"null",
    "NaN": b'{"title":NaN}',
    "infinity": b'{"title":Infinity}',
    "too large a number": b'{"metadata":{"a":1e999}}',
    "endless number": b'{"max_duration_seconds":' + b"9" * 5000 + b"}",
    "broken UTF-8": b'{"title":"\xff\xfe"}',
    "overlong UTF-8": b'{"title":"\xc0\x80"}',
    "UTF-16": '{"title":"x"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"title":"x"}',
    "NUL escaped": b'{"title":"a\\u0000b"}',
    "NUL in a name": b'{"ti\\u0000tle":"ab"}',
    "NUL raw": b'{"title":"a\x00b"}',
    "lone surrogate": b'{"title":"\\ud800"}',
    "duplicate keys": b'{"title":"a","title":"b"}',
    "duplicate keys, escaped": b'{"title":"a","titl\\u0065":"b"}',
    "duplicate keys inside": b'{"transport":{"type":"livekit","type":"pipecat"}}',
    "deep": b'{"metadata":' * 150 + b"1" + b"}" * 150,
    "very deep": b"[" * 30_000 + b"]" * 30_000,
}


async def _count(api: ApiServer) -> int:
    return len((await api.call("GET", "/v1/sessions?limit=100")).content["data"])


def _is_envelope(content: Any) -> None:
    error = content["error"]
    assert {"type", "code", "message", "param", "request_id"} <= set(error)
    assert error["code"] in CODES
    assert error["request_id"].startswith("req_")


async def test_bodies_that_break_the_schema_or_make_no_sense_are_refused_and_nothing_is_written(api: ApiServer) -> None:
    """Each with its status, code and dotted param; `errors` lists the schema's."""
    for body, status, code, param in REFUSED:
        reply = await api.call("POST", "/v1/sessions", data=json.dumps(body).encode(), headers=JSON)
        _is_envelope(reply.content)
        error = reply.content["error"]
        assert (reply.status, error["code"], error["param"]) == (status, code, param), body
        assert reply.headers["X-Request-Id"] == error["request_id"]
        if code.startswith("field.") and "errors" in error:
            assert error["errors"][0] == {"code": code, "param": param, "message": error["message"]}
    assert await _count(api) == 0


async def test_pipecat_is_refused_exactly_as_the_reference_shows(api: ApiServer) -> None:
    """The example of an error in the reference of the canonical style."""
    reply = await api.call("POST", "/v1/sessions", {"transport": {"type": "pipecat"}})
    error = reply.content["error"]
    assert error == {
        "type": "invalid_request",
        "code": "transport.unsupported",
        "message": "transport.type=pipecat is reserved and not yet available",
        "param": "transport.type",
        "request_id": error["request_id"],
    }


async def test_every_field_error_is_listed_and_the_first_decides(api: ApiServer) -> None:
    """Three mistakes, three entries."""
    reply = await api.call("POST", "/v1/sessions", _with(quality="best", title=7, color="red"))
    errors = [(error["code"], error["param"]) for error in reply.content["error"]["errors"]]
    assert errors == [("field.invalid", "quality"), ("field.invalid", "title"), ("field.unknown", "color")]
    assert (reply.code, reply.content["error"]["param"]) == ("field.invalid", "quality")


async def test_bytes_that_are_no_acceptable_json_are_400(api: ApiServer) -> None:
    """body.malformed, whatever is wrong with them, and no echo of them."""
    for name, data in MALFORMED.items():
        reply = await api.call("POST", "/v1/sessions", data=data, headers=JSON)
        _is_envelope(reply.content)
        assert (reply.status, reply.code) == (400, "body.malformed"), name
    assert await _count(api) == 0


async def test_other_media_types_and_encodings_are_415(api: ApiServer) -> None:
    """Only plain JSON in UTF-8 is read; a broken gzip body is no crash."""
    for headers in (
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ):
        reply = await api.call("POST", "/v1/sessions", data=b"\x1f\x8bxx", headers=headers)
        assert (reply.status, reply.code) == (415, "body.media_type"), headers


async def test_large_bodies_are_413_before_they_are_buffered(api: ApiServer) -> None:
    """Declared or chunked; the second one never ends by itself."""
    declared = await api.call("POST", "/v1/sessions", data=b"x" * 70_000, headers=JSON)
    assert (declared.status, declared.code) == (413, "body.too_large")
    head = (
        f"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {MASTER_KEY}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    ).encode()
    answer = await api.raw(head + b"8000\r\n" + b" " * 0x8000 + b"\r\n8001\r\n" + b" " * 0x8001 + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"body.too_large"' in answer


async def test_the_largest_body_is_read(api: ApiServer) -> None:
    """64 KiB exactly are judged by their content."""
    data = b'{"title":"' + b"x" * (64 * 1024 - 12) + b'"}'
    assert len(data) == 64 * 1024
    reply = await api.call("POST", "/v1/sessions", data=data, headers=JSON)
    assert (reply.status, reply.code) == (422, "field.required")


async def test_what_trickles_is_cut_off_after_ten_seconds_in_all(api: ApiServer) -> None:
    """A byte now and then never makes a timeout between bytes; the whole body has one, and so have the headers."""
    async with connection(api.base_url) as (reader, writer):
        started = time.monotonic()
        writer.write(
            f"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {MASTER_KEY}\r\n"
            "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n".encode()
        )
        headers = asyncio.create_task(api.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ", seconds=20))
        reading = asyncio.create_task(reader.readuntil(b"}}"))
        while not reading.done() and time.monotonic() - started < 20:
            writer.write(b" ")
            await asyncio.wait([reading], timeout=0.5)
        answer = await reading
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"body.timeout"' in answer
    assert 9 <= time.monotonic() - started <= 13
    assert await headers == b""


async def test_commands_take_no_members_and_need_no_body(api: ApiServer) -> None:
    """Unknown members of an empty body are refused as well."""
    session = await api.create("room")
    reply = await api.call("POST", f"/v1/sessions/{session['id']}/end", {"reason": "done"})
    assert (reply.status, reply.code, reply.content["error"]["param"]) == (422, "field.unknown", "reason")
    assert (await api.call("GET", f"/v1/sessions/{session['id']}")).content["status"] == "queued"
