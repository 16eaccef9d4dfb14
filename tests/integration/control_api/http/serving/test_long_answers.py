"""However much there is to read: no statement gives much back at once, and nobody takes a part for the whole."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from sqlalchemy import event, text
from structlog.testing import capture_logs

from control_api.http.openapi.operation import Operation
from control_api.operations import OPERATIONS
from sessions.errors import DatabaseUnavailableError
from sessions.ids import parse_id
from store.database.tables import sessions
from store.sessions.log.session_log import SessionLog
from tests.support.running.api_server import MASTER_KEY, ApiServer, api_server

ROWS = 1200  # of each kind: more than any page has
MOST_ROWS = 1002  # the longest page, whether there is more, and a sum
MOST_BYTES = 512 << 10

# A page of each of these has all that a client could ask for at once.
_READS = [one for one in OPERATIONS if one.method == "GET" and not one.public and not one.name.startswith("stream_")]
_FILL = """
INSERT INTO log_entries (session_id, seq, id, kind, role, text, source, start_ms, created_at, delivered_at, identity)
    SELECT :id, i, gen_random_uuid(), CASE WHEN i % 2 = 0 THEN 'message' ELSE 'segment' END, 'user',
        repeat(md5(i::text), 40), CASE WHEN i % 2 = 0 THEN 'api' ELSE 'speech' END,
        CASE WHEN i % 3 > 0 THEN (i * 7919) % 90000 END, now(), now(), 'ann' FROM generate_series(1, :rows) i;
INSERT INTO session_events (id, session_id, seq, type, at, epoch, status_from, status_to)
    SELECT gen_random_uuid(), :id, i, 'session.running', now(), 0, 'paused', 'running'
    FROM generate_series(100, :rows + 100) i;
INSERT INTO session_pauses SELECT :id, now() + i * interval '2 s', now() + i * interval '2 s' + interval '1 s'
    FROM generate_series(1, :rows) i;
INSERT INTO usage_events (id, session_id, organization_id, epoch, kind, from_ms, to_ms, quality, multiplier, credits,
        agent_id, recorded_at)
    SELECT gen_random_uuid(), :id, :organization_id, 1, 'accrual', i * 1000, i * 1000 + 1000, 'standard', 1, 1,
        'agent ' || i, now() - interval '2 min' FROM generate_series(1, :rows) i;
INSERT INTO events (organization_id, position, id, session_id, agent_id, seq, type, at, recorded_at, facts)
    SELECT :organization_id, last_position + i, gen_random_uuid(), :id, 'agent', i, 'message.created', now(), now(),
        jsonb_build_object('text', repeat(md5(i::text), 200)) FROM generate_series(1, 300) i, event_logs;
UPDATE event_logs SET last_position = last_position + 300;
INSERT INTO api_keys (id, organization_id, kind, scopes, sha256, prefix, last_four)
    SELECT gen_random_uuid(), :organization_id, 'master', ARRAY[]::text[], sha256(i::text::bytea), 'x', 'x'
    FROM generate_series(1, :rows) i;
INSERT INTO transcript_versions (session_id, version, run_id, state, requested_at, segments)
    SELECT :id, 2, gen_random_uuid(), 'available', now(), jsonb_agg(jsonb_build_object('speaker', NULL, 'identity',
        'ann', 'role', 'user', 'text', repeat(md5(i::text), 30), 'reason', NULL, 'start_ms', i * 60, 'end_ms', i * 60,
        'confidence', NULL, 'words', NULL)) FROM generate_series(1, :rows) i;
UPDATE sessions SET prompt = repeat('long ', 6000), on_pause = 'cut', status = 'ended', started_at = created_at,
    finished_at = now();
INSERT INTO sessions (id, {columns}) SELECT gen_random_uuid(), {columns} FROM sessions, generate_series(1, 29);
"""


async def _filled(api: ApiServer) -> dict[str, Any]:
    """A session with much of everything, of an organization with many long ones."""
    created = await api.create("room")
    async with api.dependencies.db.begin() as conn:
        session_id = parse_id("sess", created["id"])
        organization_id = (
            await conn.execute(text("SELECT organization_id FROM sessions WHERE id = :id"), {"id": session_id})
        ).scalar_one()
        columns = ", ".join(column.name for column in sessions.c if column.name != "id" and column.computed is None)
        for statement in _FILL.format(columns=columns).split(";\n"):
            if statement.strip():
                values = {"id": session_id, "rows": ROWS, "organization_id": organization_id}
                await conn.execute(text(statement), {k: v for k, v in values.items() if f":{k}" in statement})
    return created


@contextmanager
def _largest(api: ApiServer) -> Iterator[dict[str, tuple[int, int]]]:
    """Statement → rows and bytes of the largest result that it had."""
    found: dict[str, tuple[int, int]] = {}

    def look(_conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        result = cursor._cursor.pgresult
        if result is not None:
            rows, columns = range(result.ntuples), range(result.nfields)
            size = sum(len(result.get_value(row, column) or b"") for row in rows for column in columns)
            found[statement] = max(found.get(statement, (0, 0)), (len(rows), size))

    engines = [db._engine.sync_engine for db in (api.dependencies.db, api.dependencies.bulk_db)]
    for engine in engines:
        event.listen(engine, "after_cursor_execute", look)
    yield found
    for engine in engines:
        event.remove(engine, "after_cursor_execute", look)


def _asked(operation: Operation, session: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """The operation's path and query, for as much as can be asked for."""
    filled = operation.path.format(
        session_id=session["id"], session_key=session["id"], agent_id=session["agent_id"], **_NOBODYS
    )
    query = {one.name: str(one.schema["maximum"]) for one in operation.query if one.name == "limit"}
    wanted = {"sessionId": session["id"], "type": "instant", "group_by": "agent_id"}
    return filled, query | {one.name: wanted[one.name] for one in operation.query if one.name in wanted}


_NOBODYS = {
    "endpoint_id": "whe_01KB2F5W2Q4V9M7T8Y6R3N1C0A",
    "delivery_id": "dlv_01KB2F5W2Q4V9M7T8Y6R3N1C0A",
    "key": "sessions/x",
}


async def test_no_read_gets_all_rows_at_once(api: ApiServer) -> None:
    """Every GET of the API, each with as many rows and as long texts as nobody should have in memory."""
    session = await _filled(api)
    seen: dict[str, int] = {}
    for operation in _READS:
        path, query = _asked(operation, session)
        with _largest(api) as found:
            reply = await api.call("GET", path, params=query)
        seen[operation.name] = reply.status
        assert reply.status in (200, 202, 404, 409), (operation.name, reply.content)
        too_much = {one: most for one, most in found.items() if most[0] > MOST_ROWS or most[1] > MOST_BYTES}
        assert too_much == {}, operation.name
    assert sum(status == 200 for status in seen.values()) > len(seen) / 2, seen


async def test_a_long_list_is_the_list(api: ApiServer) -> None:
    """Sent in pieces: everything once, in its order, with the cursor that a short one has."""
    session = await _filled(api)
    path = f"/v1/sessions/{session['id']}"
    timeline = (await api.call("GET", path + "/timeline")).content
    assert [one["seq"] for one in timeline["data"]][-ROWS - 1 :] == list(range(100, ROWS + 101))
    assert (timeline["object"], timeline["has_more"], timeline["next_cursor"]) == ("list", False, None)
    found: list[int] = []
    after: str | None = "0"
    while after is not None:
        page = (await api.call("GET", path + "/messages", params={"after": after, "limit": "100"})).content
        found += [one["seq"] for one in page["data"]]
        assert page["has_more"] == (page["next_cursor"] is not None)
        assert len(page["data"]) == 100 or not page["has_more"]
        after = page["next_cursor"]
    assert found == list(range(2, ROWS + 1, 2))
    listed = (await api.call("GET", "/v1/sessions", params={"limit": "30"})).content
    assert (len({one["id"] for one in listed["data"]}), listed["has_more"]) == (30, False)

    for version in ("1", "2"):
        await _check_transcript(api, session, version)


async def _check_transcript(api: ApiServer, session: dict[str, Any], version: str) -> None:
    """In every form: each segment once, in the order of time, and what was made anew between what was written."""
    path = f"/v1/sessions/{session['id']}/transcript"
    reply = await api.call("GET", path, params={"version": version})
    segments = reply.content["segments"]
    starts = [one["start_ms"] for one in segments]
    assert starts == sorted(starts)
    spoken = ROWS if version == "2" else ROWS // 2
    assert (len({one["seq"] for one in segments}), len(segments)) == (spoken + ROWS // 2,) * 2
    assert "Content-Length" not in reply.headers
    forms = {"text/vtt": " --> ", "application/x-subrip": " --> ", "text/plain": "] ann: "}
    for media_type, mark in forms.items():
        reply = await api.call("GET", path, params={"version": version}, headers={"Accept": media_type})
        assert reply.body.decode().count(mark) == len(segments), media_type
    head = await api.call("HEAD", path, params={"version": version})
    assert (head.status, head.body, head.headers["Content-Type"]) == (200, b"", "application/json")


async def test_what_breaks_off_is_cut_off(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database goes away behind the first page: the client gets an error of its connection, not a shorter list."""
    session = await _filled(api)
    page = SessionLog.page

    async def once(self: SessionLog, *arguments: UUID, **more: Any) -> Any:
        if more["after"] > 100:
            raise DatabaseUnavailableError
        return await page(self, *arguments, **more)

    monkeypatch.setattr(SessionLog, "page", once)
    path = f"/v1/sessions/{session['id']}/messages"
    with pytest.raises(aiohttp.ClientPayloadError):
        await api.call("GET", path, params={"limit": "100"})
    refused = await api.call("GET", path, params={"limit": "100", "after": "101"})
    assert refused.status == 503


async def test_a_reader_who_takes_nothing_is_cut_off(database_url: str, tmp_path: Path) -> None:
    """It holds a page for a while, and no connection to the database."""
    async with api_server(database_url, tmp_path, event_stream_stall_seconds=0.2) as api:
        session = await _filled(api)
        async with api.dependencies.db.begin() as conn:
            await conn.execute(text("UPDATE log_entries SET text = repeat(text, 20)"))  # more than sockets take
        path = f"{api.base_url}/v1/sessions/{session['id']}/transcript?version=1"
        headers = {"Authorization": f"Bearer {MASTER_KEY}"}
        async with aiohttp.ClientSession(headers=headers) as slow, slow.get(path) as answer:
            with capture_logs() as lines:
                async with asyncio.timeout(20):
                    while not [line for line in lines if line["event"] == "answer.broken_off"]:  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
            assert api.dependencies.bulk_db._engine.pool.checkedout() == 0  # type: ignore[attr-defined]
            with pytest.raises(aiohttp.ClientError):
                await answer.read()
