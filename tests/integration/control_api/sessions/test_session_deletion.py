"""`DELETE /v1/sessions/{id}`: every byte of content goes, the bill stays."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from control_api.operations import OPERATIONS
from sessions.ids import parse_id
from store.sessions.erasure import SessionErasure
from store.sweeping.retention import Retention
from tests.support.running.api_server import ApiServer, create_body

WORD = "raspberry"  # in everything that a customer says


def _dump(url: str) -> str:
    """Every row of every table, bytes included as text."""
    lines = []
    with psycopg.connect(url) as conn:
        for [table] in conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
            for row in conn.execute(f'SELECT * FROM "{table}"'):
                values = [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in row]
                lines.append(f"{table}: {values}")
    return "\n".join(lines)


def _execute(url: str, statement: str, *values: Any) -> None:
    with psycopg.connect(url) as conn:
        conn.execute(statement, values)


async def _full_session(api: ApiServer, url: str, status: str = "ended") -> tuple[str, UUID]:
    """A session with content wherever there can be some."""
    body = create_body(WORD, title=WORD, tags=[WORD], metadata={"a": WORD}, prompt=WORD, project_id=WORD)
    created = await api.call("POST", "/v1/sessions", body, headers={"Idempotency-Key": "create"})
    path = f"/v1/sessions/{created.content['id']}"
    await api.call("POST", path + "/archive", headers={"Idempotency-Key": "archive"})
    await api.call("POST", path + "/messages", {"content": WORD}, headers={"Idempotency-Key": "message"})
    session_id = parse_id("sess", created.content["id"])
    _execute(
        url,
        """
        WITH it AS (UPDATE sessions SET status = %s, outcome = 'ended', started_at = now(), ending_at = now()
                    WHERE id = %s RETURNING *),
        run AS (INSERT INTO runs (session_id, epoch, owner, host, claimed_at, beat_at, sealed_at)
                SELECT id, 1, gen_random_uuid(), 'h', now(), now(), now() FROM it),
        recording AS (INSERT INTO recordings (session_id, id, plan, frozen_at, tracks)
                      SELECT id, gen_random_uuid(), '{}', now(), '[{"identity": "raspberry"}]' FROM it),
        job AS (INSERT INTO procrastinate_jobs (queue_name, task_name, args, status)
                SELECT 'short', 'recordings.finalize', jsonb_build_object('session_id', id, 'note', 'raspberry'),
                       'failed' FROM it)
        INSERT INTO usage_events (id, session_id, organization_id, epoch, kind, from_ms, to_ms, quality, multiplier,
                                  credits, agent_id, recorded_at)
        SELECT gen_random_uuid(), id, organization_id, 1, 'final', 0, 1000, 'standard', 1, 1, agent_id, %s FROM it
        """,
        status,
        session_id,
        datetime.now(UTC) - timedelta(minutes=5),
    )
    name = created.content["id"]
    for key in ("conversation.wav", "recording.json", "conversation.json", "summary.json"):
        await api.dependencies.objects.put_bytes(f"sessions/{name}/{key}", WORD.encode())
    await api.dependencies.objects.put_bytes(f"spool/{name}/1-x-0.seg", WORD.encode())
    return name, session_id


async def _delete(api: ApiServer, url: str, name: str) -> None:
    """As its customer does it."""
    deleted = await api.call("DELETE", f"/v1/sessions/{name}")
    assert (deleted.status, deleted.body) == (204, b"")


async def _outlive_retention(api: ApiServer, url: str, name: str) -> None:
    """As a worker does it, eight days after."""
    session_id = parse_id("sess", name)
    _execute(url, "UPDATE sessions SET finished_at = now() - interval '8 days' WHERE id = %s", session_id)
    db, objects = api.dependencies.db, api.dependencies.objects
    assert await Retention(db, objects, SessionErasure(db, objects), days=7).expire() == 1


ways_to_erase = pytest.mark.parametrize("erase", [_delete, _outlive_retention], ids=["deleted", "retention"])
Erase = Callable[[ApiServer, str, str], Awaitable[None]]


@ways_to_erase
async def test_erasing_erases_every_byte_and_keeps_the_bill(
    api: ApiServer, database_url: str, tmp_path: Path, erase: Erase
) -> None:
    """Rows, kept answers, job arguments, objects; also a part that a crashed writer left."""
    name, _ = await _full_session(api, database_url)
    half_written = tmp_path / "objects" / "sessions" / name / "conversation.wav#123"
    half_written.write_text(WORD)
    other = await api.create("room-b")
    assert WORD in _dump(database_url)
    await erase(api, database_url, name)
    dump = _dump(database_url)
    assert WORD not in dump
    assert [path for path in (tmp_path / "objects").rglob("*") if name in str(path)] == []
    rows = (await api.call("GET", f"/v1/usage/events?session_id={name}")).content["data"]
    assert [(row["session_id"], row["kind"], row["milliseconds"]) for row in rows] == [(name, "final", 1000)]
    assert [row["id"] for row in (await api.call("GET", "/v1/sessions")).content["data"]] == [other["id"]]


@ways_to_erase
async def test_the_id_answers_404_everywhere_afterwards(api: ApiServer, database_url: str, erase: Erase) -> None:
    """Each operation with the session in its path, whatever the method."""
    name, _ = await _full_session(api, database_url)
    await erase(api, database_url, name)
    asked = 0
    for operation in OPERATIONS:
        if "{session_id}" in operation.path:
            body = None if operation.body is None else next(iter(operation.request_examples.values()))
            reply = await api.call(operation.method, operation.path.replace("{session_id}", name), body)
            assert (reply.status, reply.headers["X-Error-Code"]) == (404, "not_found"), operation.name
            asked += 1
    assert asked > 10


async def test_a_repetition_of_the_create_does_not_bring_it_back(api: ApiServer, database_url: str) -> None:
    """The Idempotency-Key stays taken, its answer is gone: 404."""
    session = await api.call(
        "POST", "/v1/sessions", create_body("room-a"), headers={"Idempotency-Key": "k", "X-Note": "first"}
    )
    await api.call("DELETE", f"/v1/sessions/{session.content['id']}")
    again = await api.call("POST", "/v1/sessions", create_body("room-a"), headers={"Idempotency-Key": "k"})
    assert (again.status, again.code) == (404, "not_found")
    assert (await api.call("GET", "/v1/sessions")).content["data"] == []


@pytest.mark.parametrize("status", ["starting", "running", "paused", "ending"])
async def test_an_active_session_is_not_deleted(api: ApiServer, database_url: str, status: str) -> None:
    """409 `session.active`, and everything is still there."""
    name, _ = await _full_session(api, database_url, status)
    refused = await api.call("DELETE", f"/v1/sessions/{name}")
    assert (refused.status, refused.code) == (409, "session.active")
    assert (await api.call("GET", f"/v1/sessions/{name}")).content["title"] == WORD
    assert await api.dependencies.objects.get(f"sessions/{name}/conversation.wav") == WORD.encode()


async def test_a_queued_session_is_canceled_and_deleted_and_its_token_with_it(
    api: ApiServer, database_url: str
) -> None:
    """Its room and identity are free again."""
    session = await api.create("room-a")
    assert (await api.call("DELETE", f"/v1/sessions/{session['id']}")).status == 204
    assert (await api.call("DELETE", f"/v1/sessions/{session['id']}")).status == 404
    assert "worker_tokens" not in _dump(database_url)
    await api.create("room-a")


async def test_a_session_that_waits_for_its_start_is_deleted(api: ApiServer) -> None:
    """`created` is as good as `queued`: nobody has joined yet."""
    start_at = (datetime.now(UTC) + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    session = await api.create("room-a", start_at=start_at)
    assert session["status"] == "created"
    assert (await api.call("DELETE", f"/v1/sessions/{session['id']}")).status == 204
    assert (await api.call("GET", f"/v1/sessions/{session['id']}")).status == 404


async def test_a_running_text_session_is_deleted(api: ApiServer, database_url: str) -> None:
    """Nothing has to be ended first where no worker is."""
    session = await api.create("room-a")
    _execute(database_url, "UPDATE sessions SET kind = 'text', status = 'running'")
    assert (await api.call("DELETE", f"/v1/sessions/{session['id']}")).status == 204


async def test_an_answer_that_is_kept_late_is_kept_without_its_body(api: ApiServer, database_url: str) -> None:
    """A request about the session was under way while it was deleted."""
    session = await api.create("room-a", title=WORD)
    session_id = parse_id("sess", session["id"])
    organization_id = parse_id("org", session["organization_id"])
    ticket = await api.dependencies.idempotency.begin(organization_id, "POST x", "k", b"f")
    await api.call("DELETE", f"/v1/sessions/{session['id']}")
    async with api.dependencies.db.begin() as conn:
        await ticket.keep(conn, 200, WORD.encode(), session_id)  # type: ignore[union-attr]
    assert WORD not in _dump(database_url)


async def test_a_deletion_waits_for_an_answer_that_is_being_kept(api: ApiServer, database_url: str) -> None:
    """And then erases it."""
    session = await api.create("room-a")
    session_id = parse_id("sess", session["id"])
    ticket = await api.dependencies.idempotency.begin(parse_id("org", session["organization_id"]), "POST x", "k", b"f")
    async with asyncio.TaskGroup() as group, api.dependencies.db.begin() as conn:
        await ticket.keep(conn, 200, WORD.encode(), session_id)  # type: ignore[union-attr]
        deletion = group.create_task(api.call("DELETE", f"/v1/sessions/{session['id']}"))
        await asyncio.sleep(0.3)
        assert not deletion.done()
    assert deletion.result().status == 204
    assert WORD not in _dump(database_url)


async def test_what_is_written_after_the_deletion_is_swept(api: ApiServer, database_url: str, tmp_path: Path) -> None:
    """The job removes objects and failed jobs of an erased session, and touches no session that exists."""
    name, session_id = await _full_session(api, database_url)
    erasure = SessionErasure(api.dependencies.db, api.dependencies.objects)
    await erasure.sweep(session_id)
    assert await api.dependencies.objects.get(f"sessions/{name}/summary.json") == WORD.encode()
    await api.call("DELETE", f"/v1/sessions/{name}")
    await api.dependencies.objects.put_bytes(f"sessions/{name}/conversation.json", WORD.encode())
    await erasure.sweep(session_id)
    assert [path for path in (tmp_path / "objects").rglob("*") if name in str(path)] == []


async def test_erasing_is_deferred_for_later_too(api: ApiServer, database_url: str) -> None:
    """Three jobs: at once, after the longest job, after a day; their arguments are the id alone."""
    session = await api.create("room-a")
    await api.call("DELETE", f"/v1/sessions/{session['id']}")
    with psycopg.connect(database_url) as conn:
        jobs = conn.execute(
            "SELECT task_name, args, scheduled_at IS NULL FROM procrastinate_jobs ORDER BY id"
        ).fetchall()
    args = {"session_id": str(parse_id("sess", session["id"]))}
    assert jobs == [("sessions.erase", args, True), ("sessions.erase", args, False), ("sessions.erase", args, False)]


def test_every_table_about_sessions_goes_with_them(database_url: str) -> None:
    """Its rows are deleted with it, but for the bill, idempotency keys, events and what is left to erase or look for.

    Events have lost their content by then (`test_expiry_and_erasure`), and their deliveries never had any.
    """
    with psycopg.connect(database_url) as conn:
        tables = {
            row[0]
            for row in conn.execute(
                "SELECT table_name FROM information_schema.columns WHERE column_name = 'session_id'"
                " AND table_schema = 'public'"
            )
        }
        cascading = {
            row[0]
            for row in conn.execute(
                "SELECT conrelid::regclass::text FROM pg_constraint WHERE confrelid = 'sessions'::regclass"
                " AND confdeltype = 'c'"
            )
        }
    assert tables - cascading == {
        *("usage_events", "idempotency_keys", "erasures", "leftovers", "event_inbox", "events", "webhook_deliveries")
    }
