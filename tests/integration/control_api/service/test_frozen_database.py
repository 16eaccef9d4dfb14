"""PostgreSQL freezes and goes on: every request is answered within the bound of the settings, nothing is half written.

SIGSTOP stands for what nobody can tell from it: a disk that hangs, a network that drops what is sent.
"""

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from store.access.idempotency import LEASE_SECONDS
from tests.support.network.loopback import silent_server
from tests.support.running.api_server import ApiServer, Reply, api_server, create_body
from tests.support.services.postgres_cluster import PostgresCluster

BOUND_SECONDS = 3.0  # the settings' default
GRACE_SECONDS = 0.5  # of the loop until what is due runs; what the requests compute is measured and comes on top
OWN_SECONDS = 1.5  # that a request computes on a very busy machine
FROZEN_SECONDS = 10.0
AT_ONCE_SECONDS = 5.0  # until requests succeed again: PostgreSQL first starts and ends what was asked of it meanwhile
CLIENTS = 5  # that repeat their requests side by side: all at once, they would wait for each other for too long
KEPT_SECONDS = LEASE_SECONDS + 5.0  # until keys are free of which nobody knows whether they were taken

UNKNOWN = {"database.unavailable", "commit.unknown"}


def _requests(session: dict[str, Any], round_: str) -> list[tuple[str, str, Any, str | None]]:
    """Method, path, body and Idempotency-Key: one of each kind, and more of them than the pool has connections."""
    own = f"/v1/sessions/{session['id']}"
    return [
        ("GET", "/v1/sessions", None, None),
        ("GET", own, None, None),
        ("GET", f"{own}/events", None, None),
        ("GET", f"{own}/messages", None, None),
        ("GET", "/v1/usage/events", None, None),
        ("GET", "/v1/usage", None, None),
        ("GET", "/v1/api_keys", None, None),
        ("PATCH", own, {"title": round_}, None),
        ("POST", f"{own}/messages", {"content": round_}, None),
        ("POST", "/v1/api_keys", {"kind": "agent", "agent_id": "a", "scopes": ["usage:read"]}, f"key-{round_}"),
        *(("POST", "/v1/sessions", create_body(f"{round_}-{number}"), f"{round_}-{number}") for number in range(3)),
        ("GET", "/readyz", None, None),
    ]


async def _timed(api: ApiServer, method: str, path: str, body: Any, key: str | None) -> tuple[Reply, float]:
    began = time.monotonic()
    reply = await api.call(method, path, body, headers={} if key is None else {"Idempotency-Key": key})
    return reply, time.monotonic() - began


async def _success(api: ApiServer, method: str, path: str, body: Any, key: str | None) -> Reply:
    """What the docs tell clients: after a 503 or 409, repeat, with the same key."""
    deadline = time.monotonic() + (AT_ONCE_SECONDS if key is None else KEPT_SECONDS)
    while True:
        reply, _ = await _timed(api, method, path, body, key)
        if reply.status < 300:
            return reply
        assert time.monotonic() < deadline, reply.content
        await asyncio.sleep(0.1)


async def test_a_database_that_freezes_under_load(own_postgres: PostgresCluster, tmp_path: Path) -> None:
    """503 within the bound, over and over; afterwards everything works at once, and each key made one session."""
    async with api_server(own_postgres.url, tmp_path, database_timeout_seconds=BOUND_SECONDS) as api:
        session = await api.create("room")
        seconds: list[float] = []
        created: dict[str, Any] = {}

        async def repeat(number: int, until: float) -> None:
            while time.monotonic() < until:
                method, path, body, key = _requests(session, f"round-{len(seconds)}")[number]
                if path == "/v1/sessions" and key is not None:
                    created[key] = body
                reply, took = await _timed(api, method, path, body, key)
                seconds.append(took)
                assert reply.status < 300 or (reply.status, reply.code in UNKNOWN) == (503, True), reply.content

        async def all_repeat(for_seconds: float) -> None:
            async with asyncio.TaskGroup() as group:
                for number in range(len(_requests(session, ""))):
                    group.create_task(repeat(number, time.monotonic() + for_seconds))

        for one in _requests(session, "first"):
            await _success(api, *one)
        await all_repeat(0.2)
        own_seconds = max(seconds)
        async with asyncio.TaskGroup() as group:
            group.create_task(all_repeat(FROZEN_SECONDS - BOUND_SECONDS))
            await asyncio.sleep(0.2)  # in the middle of many requests
            with own_postgres.frozen():
                await asyncio.sleep(FROZEN_SECONDS)
        assert max(seconds) <= BOUND_SECONDS + GRACE_SECONDS + own_seconds

        await asyncio.gather(*(_success(api, *one) for one in _requests(session, "after") if one[3] is None))
        turns = asyncio.Semaphore(CLIENTS)

        async def again(key: str, body: Any) -> Reply:
            async with turns:
                return await _success(api, "POST", "/v1/sessions", body, key)

        replies = await asyncio.gather(*(again(key, body) for key, body in created.items()))
        assert len({reply.content["id"] for reply in replies}) == len(created)
        await _nothing_is_left(api, sessions=len(created) + 4)


async def _nothing_is_left(api: ApiServer, *, sessions: int) -> None:
    """No transaction that is open, no connection that is lost, nothing that is half written."""
    pool = api.dependencies.db._engine.pool
    deadline = time.monotonic() + AT_ONCE_SECONDS
    open_ = text(
        "SELECT state, query FROM pg_stat_activity WHERE application_name = 'test api' AND state <> 'idle'"
        " AND pid <> pg_backend_pid()"
    )
    while True:
        async with api.dependencies.db.begin() as conn:
            left = (await conn.execute(open_)).all()
        if not left and pool.checkedout() == 0:  # type: ignore[attr-defined] # of a QueuePool
            break
        assert time.monotonic() < deadline, left
        await asyncio.sleep(0.05)
    async with api.dependencies.db.begin() as conn:
        counts = text(
            "SELECT count(*),"
            " count(*) FILTER (WHERE EXISTS (SELECT 1 FROM session_events WHERE session_id = sessions.id)),"
            " count(*) FILTER (WHERE EXISTS (SELECT 1 FROM worker_tokens WHERE session_id = sessions.id)) FROM sessions"
        )
        assert tuple((await conn.execute(counts)).one()) == (sessions,) * 3


async def test_a_database_that_freezes_in_the_commit(own_postgres: PostgresCluster, tmp_path: Path) -> None:
    """The client hears in time that nobody knows; the same key then has the one session, whoever made it."""
    async with api_server(own_postgres.url, tmp_path, database_timeout_seconds=BOUND_SECONDS) as api:
        async with api.dependencies.db.begin() as conn:
            await conn.exec_driver_sql(
                """
                CREATE FUNCTION wait_a_second() RETURNS trigger LANGUAGE plpgsql
                    AS $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$;
                CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON sessions DEFERRABLE INITIALLY DEFERRED
                    FOR EACH ROW EXECUTE FUNCTION wait_a_second();
                """
            )
        body = create_body("room")
        first = asyncio.create_task(_timed(api, "POST", "/v1/sessions", body, "key"))
        await _committing(api)
        with own_postgres.frozen():
            reply, took = await first
        assert (reply.status, reply.code) == (503, "commit.unknown")
        assert took <= BOUND_SECONDS + GRACE_SECONDS + OWN_SECONDS

        session_id = (await _success(api, "POST", "/v1/sessions", body, "key")).content["id"]
        listed = (await api.call("GET", "/v1/sessions")).content["data"]
        assert [one["id"] for one in listed] == [session_id]


async def _committing(api: ApiServer) -> None:
    """Return in the middle of a COMMIT."""
    asked = text("SELECT count(*) FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active'")
    while True:
        async with api.dependencies.db.begin() as conn:
            if (await conn.execute(asked)).scalar_one():
                return
        await asyncio.sleep(0.01)


async def test_a_request_has_one_bound_for_all_it_asks(database_url: str, tmp_path: Path) -> None:
    """Noting the key's use fails first, and is forgiven; the list then has no time of its own."""
    async with api_server(database_url, tmp_path, database_timeout_seconds=BOUND_SECONDS) as api:
        async with api.dependencies.db.begin(timeout_seconds=60) as conn:
            await conn.execute(text("LOCK TABLE api_keys IN EXCLUSIVE MODE"))
            await conn.execute(text("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE"))
            reply, took = await _timed(api, "GET", "/v1/sessions", None, None)
        assert (reply.status, reply.code) == (503, "database.unavailable")
        assert took <= BOUND_SECONDS + GRACE_SECONDS + OWN_SECONDS


async def test_a_server_that_never_answers_under_load(tmp_path: Path) -> None:
    """It takes connections and says nothing; there are more requests than connections."""
    async with silent_server() as port:
        url = f"postgresql://parley@127.0.0.1:{port}/parley"
        async with api_server(url, tmp_path, serves=False, database_timeout_seconds=1) as api:
            session = {"id": "sess_01KB2F5W2Q4V9M7T8Y6R3N1C0A"}
            answers = await asyncio.gather(*(_timed(api, *one) for one in _requests(session, "silent")))
    assert {(reply.status, reply.code) for reply, _ in answers} == {(503, "database.unavailable")}
    assert max(took for _, took in answers) <= 1 + GRACE_SECONDS + OWN_SECONDS


async def test_a_link_is_followed_while_the_database_is_frozen(own_postgres: PostgresCluster, tmp_path: Path) -> None:
    """It expires by the database's clock, which goes on in the API; a process that never heard of it says 503."""
    async with api_server(own_postgres.url, tmp_path, database_timeout_seconds=BOUND_SECONDS) as api:
        await api.dependencies.objects.put_bytes("a.wav", b"voice")
        expires_at = (await api.dependencies.db.clock()).db_time + timedelta(minutes=1)
        signature = api.dependencies.signer.sign("/v1/objects/a.wav?name=a.wav", expires_at)
        link = f"/v1/objects/a.wav?expires={int(expires_at.timestamp())}&signature={signature}&name=a.wav"
        with own_postgres.frozen():
            early = await api.call("GET", link, key=None)
        before = await _success(api, "GET", link, None, None)
        with own_postgres.frozen():
            meanwhile = await api.call("GET", link, key=None)

    assert (early.status, early.code) == (503, "database.unavailable")
    assert [before.status, meanwhile.status] == [200, 200]
