"""`GET /v1/operator/overview`: numbers for whoever runs the installation, and nothing of a customer's."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from sessions.ids import parse_id
from store.database.notify.listener_names import JOBS_LISTENER, RECORDER_LISTENER
from tests.support.running.api_server import MASTER_KEY, ApiServer, api_server

PATH = "/v1/operator/overview"
OPERATOR_KEY = "operator-" + "o" * 40


@pytest.fixture
async def operated(database_url: str, tmp_path: Path) -> AsyncIterator[ApiServer]:
    """A server with an operator's key."""
    async with api_server(database_url, tmp_path, operator_key=SecretStr(OPERATOR_KEY)) as server:
        yield server


async def test_without_a_key_of_its_own_there_is_no_overview(api: ApiServer) -> None:
    """Neither for an organization's master key, nor for nobody."""
    for key in (MASTER_KEY, "", None):
        reply = await api.call("GET", PATH, key=key)
        assert (reply.status, reply.code) == (404, "not_found")


async def test_each_key_is_good_for_its_own_side_only(operated: ApiServer) -> None:
    """An organization's key sees no overview; the operator's nothing of an organization."""
    for key, refusal in (
        (MASTER_KEY, (403, "scope.missing")),
        ("parley_master_" + "x" * 43, (401, "key.invalid")),
        (OPERATOR_KEY[:-1], (401, "key.invalid")),
        (OPERATOR_KEY + "o", (401, "key.invalid")),
        ("ö" * 40, (401, "key.invalid")),
        (None, (401, "key.missing")),
    ):
        reply = await operated.call("GET", PATH, key=key)
        assert (reply.status, reply.code) == refusal, key
    for path in ("/v1/sessions", "/v1/codes", "/v1/usage", "/v1/events/stream"):
        reply = await operated.call("GET", path, key=OPERATOR_KEY)
        assert (reply.status, reply.code) == (403, "scope.missing"), path
    assert (await operated.call("GET", PATH, key=OPERATOR_KEY)).status == 200


async def test_the_overview_counts_and_names_nobody(operated: ApiServer, database_url: str) -> None:
    """Queue, processes, failures by fault, jobs; no word of what a customer said, and no id."""
    secret = {
        "title": "secret-title",
        "agent_id": "secret-agent",
        "external_customer_id": "secret-customer",
        "project_id": "secret-project",
        "task_id": "secret-task",
        "tags": ["secret-tag"],
        "metadata": {"secret-name": "secret-value"},
    }
    made = [await operated.create(f"secret-room-{n}", **secret) for n in range(4)]
    with psycopg.connect(database_url, autocommit=True) as conn:
        for session, code in ((made[0], "worker_token.expired"), (made[1], "capacity.none")):
            conn.execute(
                "UPDATE sessions SET status = 'failed', error_code = %s, error_message = 'secret-message',"
                " finished_at = now(), failed_at = now() WHERE id = %s",
                (code, parse_id("sess", session["id"])),
            )
        conn.execute(
            "UPDATE sessions SET queued_at = now() - interval '9 seconds' WHERE id = %s",
            (parse_id("sess", made[2]["id"]),),
        )
        conn.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args)"
            " VALUES ('short', 'recordings.finalize', 'secret-lock', '{\"secret\": 1}')"
        )
        listening = [RECORDER_LISTENER, RECORDER_LISTENER, JOBS_LISTENER]
        processes = [psycopg.connect(database_url, application_name=name) for name in listening]
        try:
            reply = await operated.call("GET", PATH, key=OPERATOR_KEY)
        finally:
            for process in processes:
                process.close()
    assert (reply.status, reply.headers["Cache-Control"]) == (200, "no-store")
    found = reply.content
    per_process = operated.dependencies.settings.sessions_per_process
    assert found["queue"]["waiting"] == 2
    assert found["queue"]["oldest_wait_seconds"] >= 9
    assert (found["workers"]["processes"]["recorders"], found["workers"]["processes"]["jobs"]) == (2, 1)
    assert (found["workers"]["slots"], found["workers"]["slots_used"]) == (2 * per_process, 0)
    assert [(job["name"], job["waiting"], job["failed"]) for job in found["jobs"]] == [("recordings.finalize", 1, 0)]
    assert found["last_hour"]["created"] == 4
    assert found["last_hour"]["failed"] == 2
    assert found["last_hour"]["faults"] == {"customer": 1, "transport": 0, "platform": 1, "none": 0}
    assert {one["code"]: one["sessions"] for one in found["last_hour"]["failures"]} == {
        "worker_token.expired": 1,
        "capacity.none": 1,
    }
    assert found["storage"]["status"] == "ok"
    assert found["storage"]["free_bytes"] > 0
    shown = json.dumps(found)
    assert [word for word in ("secret", "sess_", "org_", "default", "rooms.example.com") if word in shown] == []


async def test_an_hour_and_its_waits(operated: ApiServer, database_url: str) -> None:
    """How long sessions waited is taken from their first run; what is older than an hour is left out."""
    made = [await operated.create(f"room-{n}") for n in range(3)]
    ids = [parse_id("sess", session["id"]) for session in made]
    with psycopg.connect(database_url, autocommit=True) as conn:
        for id_, seconds in zip(ids[:2], (1, 3), strict=True):
            conn.execute(
                "INSERT INTO runs (session_id, epoch, owner, host, claimed_at, beat_at) SELECT id, 1, id, 'host-a',"
                " queued_at + make_interval(secs => %s), queued_at FROM sessions WHERE id = %s",
                (seconds, id_),
            )
            conn.execute("UPDATE sessions SET status = 'running', epoch = 1 WHERE id = %s", (id_,))
        conn.execute(
            "UPDATE sessions SET status = 'ended', finished_at = now() - interval '61 minutes' WHERE id = %s", (ids[2],)
        )
    found = (await operated.call("GET", PATH, key=OPERATOR_KEY)).content
    hour = found["last_hour"]
    assert (hour["wait_median_seconds"], hour["wait_most_seconds"], hour["ended"]) == (2.0, 3.0, 0)
    assert [(host["host"], host["processes"], host["sessions"]) for host in found["workers"]["hosts"]] == [
        ("host-a", 2, 2)
    ]
    assert found["sessions"] == {"starting": 0, "running": 2, "paused": 0, "ending": 0}
