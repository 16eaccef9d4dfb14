"""Events as they happen: in order, without a gap over reconnects; how many streams may be, and what ends them."""

import asyncio
import json
import random
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import aiohttp
import pytest
from yarl import URL

from control_api.events.streams import live_feed, open_streams
from sessions.ids import parse_id
from store.sessions.log.session_log import NewLogEntry, SessionLog
from tests.support.running.api_server import MASTER_KEY, ApiServer, api_server, create_body

Message = dict[str, str]

_TURNS, _SESSIONS = 1000, 60


@asynccontextmanager
async def stream(
    api: ApiServer, path: str = "/v1/events/stream", *, key: str = MASTER_KEY, **headers: str
) -> AsyncIterator[aiohttp.ClientResponse]:
    """An open stream."""
    asked = {"Authorization": f"Bearer {key}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with api.http.get(api.base_url + path, headers=asked) as answer:
        yield answer


async def messages(answer: aiohttp.ClientResponse) -> AsyncIterator[Message]:
    """Each message that has data, until the stream ends."""
    fields: Message = {}
    async for line in answer.content:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            fields[name] = value
        else:
            if "data" in fields:
                yield fields
            fields = {}


async def take(answer: aiohttp.ClientResponse, count: int) -> list[Message]:
    """So many messages, which come within seconds."""
    found: list[Message] = []
    async with asyncio.timeout(10):
        async for message in messages(answer):
            found.append(message)
            if len(found) == count:
                break
    return found


async def test_what_happens_is_sent_as_it_is_listed(api: ApiServer) -> None:
    """Byte for byte; a stream without a cursor begins now."""
    await api.create("before")
    async with stream(api) as answer:
        assert answer.content_type == "text/event-stream"
        assert answer.headers["X-Accel-Buffering"] == "no"
        session = await api.create("now")
        created, queued = await take(answer, 2)

    listed = (await api.call("GET", f"/v1/events?session_id={session['id']}")).body
    assert b'"data":[' + created["data"].encode() + b"," + queued["data"].encode() + b"]" in listed
    assert "session.created" == created["event"] == json.loads(created["data"])["type"]
    assert created["id"] == json.loads(created["data"])["cursor"]


async def test_an_event_is_readable_soon_after_its_commit(api: ApiServer) -> None:
    """A second's poll would be late."""
    late = []
    async with stream(api, "/v1/events/stream?types=session.created") as answer:
        for number in range(20):
            await api.create(f"room-{number}")
            committed = time.perf_counter()
            await take(answer, 1)
            late.append(time.perf_counter() - committed)
    assert sorted(late)[18] < 0.5, late


@pytest.mark.long
async def test_who_comes_back_at_random_misses_nothing(api: ApiServer) -> None:
    """A few readers with and without a filter, a thousand times together, while sessions come and go."""
    writing, turns, chance = True, 0, random.Random(7)

    async def write() -> None:
        nonlocal writing
        for number in range(_SESSIONS):
            body = create_body(f"room-{number}", agent_id=f"agent-{number % 2}")
            created = await api.call("POST", "/v1/sessions", body)
            if created.status == 201:  # readers that come and go keep the database busy
                await api.call("POST", f"/v1/sessions/{created.content['id']}/cancel", {})
            async with asyncio.timeout(120):
                while True:
                    if turns >= _TURNS * (number + 1) / _SESSIONS:
                        break
                    await asyncio.sleep(0.01)
        writing = False

    async def read(query: str, seen: list[str]) -> None:
        nonlocal turns
        cursor = "evc_" + "0" * 26
        while True:
            last, turns = not writing, turns + 1
            wanted = chance.randrange(1, 4)
            if last:
                listed = (await api.call("GET", f"/v1/events?limit=500&{query}")).content["data"]
                wanted = len(listed) - len(seen)
                if wanted <= 0:
                    return
            try:
                async with asyncio.timeout(20 if last else chance.uniform(0.02, 0.15)):
                    async with stream(
                        api, f"/v1/events?{query}", Accept="text/event-stream", Last_Event_ID=cursor
                    ) as it:
                        async for message in messages(it):
                            seen.append(message["data"])
                            cursor, wanted = message["id"], wanted - 1
                            if not wanted:
                                break
            except TimeoutError:
                pass
            if last:
                return

    queries = ("", "agent_id=agent-1", "types=session.canceled,session.queued")
    seen: list[list[str]] = [[] for _ in queries]
    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        for query, mine in zip(queries, seen, strict=True):
            group.create_task(read(query, mine))
    for query, mine in zip(queries, seen, strict=True):
        listed = (await api.call("GET", f"/v1/events?limit=500&{query}")).content["data"]
        assert [event["id"] for event in listed] == [json.loads(one)["id"] for one in mine]
    assert turns >= _TURNS


async def test_a_sessions_stream_ends_with_the_session(api: ApiServer) -> None:
    """From its beginning, whenever it is opened; who comes back then is told not to."""
    session, other = await api.create("one"), await api.create("other")
    path = f"/v1/sessions/{session['id']}/events/stream"
    async with stream(api, path) as answer:
        first = await take(answer, 2)
        await api.call("POST", f"/v1/sessions/{other['id']}/cancel", {})
        await api.call("POST", f"/v1/sessions/{session['id']}/cancel", {})
        rest = [message async for message in messages(answer)]
    async with stream(api, path) as answer:
        again = [message async for message in messages(answer)]
    listed = f"/v1/sessions/{session['id']}/events"
    async with stream(api, f"{listed}?after=2", Accept="text/event-stream") as answer:
        third = [message["event"] async for message in messages(answer)]
    async with stream(api, path, Last_Event_ID=again[-1]["id"]) as answer:
        assert answer.status == 204

    assert first + rest == again
    rest_of_it = ["transcript.none", "session.canceled"]
    assert [message["event"] for message in again] == ["session.created", "session.queued", *rest_of_it]
    assert third == rest_of_it


async def test_a_live_stream_has_what_is_said_and_the_level(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, in order, within a second, as the transcript has it; without an id; for nobody who has not asked for it."""
    monkeypatch.setattr(live_feed, "LOOK_SECONDS", 3600.0)  # words do not wait for that
    session = await api.create("live")
    session_id, path = parse_id("sess", session["id"]), f"/v1/sessions/{session['id']}/events/stream"
    log = SessionLog(api.dependencies.db)
    await log.append(session_id, [segment("before")])
    async with stream(api, f"{path}?live=true") as live, stream(api, path) as plain:
        begun = await take(live, 2)
        assert [message["event"] for message in begun] == ["session.created", "session.queued"]
        for words in ("one", "two"):
            await log.append(session_id, [segment(words)])
            [message] = await take(live, 1)
            assert (message["event"], message.get("id")) == ("live.segment", None)
            said = json.loads(message["data"])
            transcript = (await api.call("GET", f"/v1/sessions/{session['id']}/transcript")).content
            about = {"object": "transcript_segment", "session_id": session["id"]}
            assert said == {**about, **transcript["segments"][-1]}
            assert said["text"] == words
        await beat(api, session_id, peak_dbfs=-12.5)
        monkeypatch.setattr(live_feed, "LOOK_SECONDS", 0.1)
        await log.append(session_id, [segment("three")])  # from now on it looks for levels so often
        both = await take(live, 2)
        assert {message["event"] for message in both} == {"live.segment", "live.level"}
        levels = [json.loads(message["data"]) for message in both if message["event"] == "live.level"]
        assert levels[0]["peak_dbfs"] == -12.5
        await api.call("POST", f"/v1/sessions/{session['id']}/cancel", {})
        rest = [message["event"] async for message in messages(live)]
        of_plain = [message["event"] async for message in messages(plain)]
    assert rest == of_plain[2:] == ["transcript.none", "session.canceled"]


def segment(words: str) -> NewLogEntry:
    """What somebody said."""
    return NewLogEntry(kind="segment", role="user", text=words, source="speech", identity="a", start_ms=0, end_ms=900)


async def beat(api: ApiServer, session_id: UUID, *, peak_dbfs: float) -> None:
    """A run of the session, which has reported a level."""
    async with api.dependencies.db.begin() as conn:
        await conn.exec_driver_sql(
            "INSERT INTO runs (session_id, epoch, owner, host, claimed_at, beat_at, joined_at, peak_dbfs)"
            " VALUES (%(id)s, 0, gen_random_uuid(), 'here', now(), now(), now(), %(peak)s)",
            {"id": session_id, "peak": peak_dbfs},
        )
        await conn.exec_driver_sql(
            "UPDATE sessions SET recording_state = 'recording' WHERE id = %(id)s", {"id": session_id}
        )


async def test_keys_bound_what_is_sent(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent's key gets its agent's events, without content for want of the scope, until it is revoked."""
    monkeypatch.setattr(open_streams, "KEY_CHECK_SECONDS", 0.05)
    key = {"kind": "agent", "agent_id": "mine", "scopes": ["sessions:read_metadata"]}
    async with api_server(database_url, tmp_path) as api:
        made = (await api.call("POST", "/v1/api_keys", key)).content
        async with stream(api, key=made["key"]) as answer:
            await api.create("one", agent_id="other")
            await api.create("two", agent_id="mine", metadata={"who": "Jane"})
            [message, _] = await take(answer, 2)
            about = json.loads(message["data"])["data"]["session"]
            assert (about["agent_id"], about["metadata"]) == ("mine", None)
            assert (await api.call("DELETE", f"/v1/api_keys/{made['id']}")).status == 204
            async with asyncio.timeout(10):
                assert [message async for message in messages(answer)] == []


async def test_streams_are_bounded_and_end_first_when_the_server_stops(database_url: str, tmp_path: Path) -> None:
    """Per key and in all; a place is free again as soon as its reader is gone."""
    async with api_server(database_url, tmp_path, event_streams=3, event_streams_per_key=2) as api:
        key = {"kind": "agent", "agent_id": "mine", "scopes": ["sessions:read"]}
        agents = (await api.call("POST", "/v1/api_keys", key)).content["key"]
        async with stream(api) as one, stream(api):
            async with stream(api) as third:
                assert (third.status, third.headers["X-Error-Code"]) == (429, "rate_limit.streams")
            async with stream(api, key=agents) as of_another:
                assert of_another.status == 200
            async with asyncio.timeout(5):
                while True:
                    async with stream(api, key=agents) as again:
                        if again.status == 200:
                            break
            began = time.monotonic()
            api.stopping.set()
            assert [message async for message in messages(one)] == []
            assert time.monotonic() - began < 2


async def test_a_reader_who_takes_nothing_is_cut_off(database_url: str, tmp_path: Path) -> None:
    """What waits for it is bounded, and nobody else waits; it can go on from its cursor."""
    async with api_server(database_url, tmp_path, event_stream_stall_seconds=0.3) as api:
        await api.create("one", metadata={"text": "x" * 7_000})
        with socket.create_connection(("127.0.0.1", URL(api.base_url).port)) as lazy:
            request = f"GET /v1/events/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {MASTER_KEY}\r\n\r\n"
            lazy.sendall(request.encode())
            await wait_for_metric(api, "parley_api_event_streams 1.0")
            async with api.dependencies.db.begin() as conn:
                await conn.exec_driver_sql(
                    "INSERT INTO event_inbox (id, organization_id, session_id, agent_id, seq, type, at, facts, session)"
                    " SELECT gen_random_uuid(), organization_id, session_id, agent_id, seq, type, at, facts, session"
                    " FROM (SELECT * FROM events LIMIT 1), generate_series(1, 2000)"
                )
            await wait_for_metric(api, 'reason="slow"} 1.0')


async def wait_for_metric(api: ApiServer, line: str) -> None:
    """Until `/metrics` has it."""
    async with asyncio.timeout(20):
        while True:
            if line in (await api.call("GET", "/metrics")).body.decode():
                return
            await asyncio.sleep(0.1)
