"""Health, readiness, metrics, status, the OpenAPI document, stopping, and PostgreSQL away."""

import asyncio
import io
import json
import time
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from control_api.app import build_app
from control_api.http.serving.readiness import FRESH_SECONDS
from control_api.pages.routes import ASSET_PATH, ICON_PATH, LICENSES_PATH, PAGE_PATHS
from sessions.ids import new_uuid, parse_id
from store.installation.storage_identity import StorageIdentity, StorageUnrecognized
from store.sessions.erasure import SessionErasure
from tests.support.network.loopback import connection, silent_server
from tests.support.running.api_server import MASTER_KEY, ApiServer, api_server, create_body
from tests.support.services.lacking_storage import lacking_storage


async def test_what_needs_no_key_answers_without_one(api: ApiServer) -> None:
    """And says what it should."""
    expected = {
        "/healthz": {"object": "health", "status": "ok"},
        "/readyz": {
            "object": "readiness",
            "status": "ready",
            "dependencies": {"database": "ok", "storage": "ok"},
            "troubles": [],
        },
    }
    for path, content in expected.items():
        reply = await api.call("GET", path, key=None)
        assert (reply.status, reply.content) == (200, content)
    status = (await api.call("GET", "/v1/status", key=None)).content
    assert (status["object"], status["status"]) == ("status", "operational")
    metrics = await api.call("GET", "/metrics", key=None)
    assert metrics.status == 200
    assert b'parley_api_requests_total{operation="get_health",status="200"} 1.0' in metrics.body
    assert b"parley_api_requests_in_flight 1.0" in metrics.body


async def test_metrics_may_be_hidden(database_url: str, tmp_path: Path) -> None:
    """Where the port is open to the internet; everything else is there."""
    async with api_server(database_url, tmp_path, api_metrics=False) as api:
        hidden = await api.call("GET", "/metrics", key=None)
        assert (hidden.status, hidden.code) == (404, "not_found")
        assert (await api.call("GET", "/healthz", key=None)).status == 200


async def test_a_server_on_another_storage_is_not_ready_and_erases_nothing(api: ApiServer, tmp_path: Path) -> None:
    """An empty folder has taken the place of the storage that the database knows."""
    dependencies = api.dependencies
    await StorageIdentity(dependencies.db, dependencies.objects).confirm()
    folder = dependencies.objects.local_path("x")
    assert folder is not None
    ours, mounted = folder.parent, folder.parent.with_name("mounted elsewhere")
    await dependencies.objects.put_bytes("sessions/sess_1/conversation.wav", b"voice")
    ours.rename(mounted)
    ours.mkdir()
    await asyncio.sleep(1.1 * FRESH_SECONDS)
    reply = await api.call("GET", "/readyz", key=None)
    assert (reply.status, reply.code) == (503, "storage.unrecognized")
    assert (await api.call("GET", "/v1/status", key=None)).content["status"] == "degraded"
    with pytest.raises(StorageUnrecognized):
        await SessionErasure(dependencies.db, dependencies.objects).sweep(new_uuid())
    with pytest.raises(StorageUnrecognized):
        await StorageIdentity(dependencies.db, dependencies.objects).confirm()
    ours.rmdir()
    mounted.rename(ours)
    await asyncio.sleep(1.1 * FRESH_SECONDS)
    assert (await api.call("GET", "/readyz", key=None)).status == 200


async def test_a_voice_that_is_still_stored_after_its_deletion_makes_the_service_degraded(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ready all the same: 200 with a sentence, and a figure to alert on, until the storage lets go."""
    with lacking_storage() as storage:
        for name, value in storage.variables.items():
            monkeypatch.setenv(name, value)
        async with api_server(database_url, tmp_path, storage_url=storage.url) as api:
            session = await api.create("room")
            key = f"sessions/{session['id']}/conversation.wav"
            await api.dependencies.objects.put_bytes(key, b"voice")
            storage.lacks = {"bulk_delete", "delete"}
            assert (await api.call("DELETE", f"/v1/sessions/{session['id']}")).status == 204
            await asyncio.sleep(1.1 * FRESH_SECONDS)
            ready = await api.call("GET", "/readyz", key=None)
            assert (ready.status, ready.content["status"]) == (200, "degraded")
            assert "still holds objects of 1 erased sessions" in ready.content["troubles"][0]
            assert (await api.call("GET", "/v1/status", key=None)).content["status"] == "degraded"
            assert b"parley_api_erasures_failed 1.0" in (await api.call("GET", "/metrics", key=None)).body
            storage.lacks = {"bulk_delete"}
            await SessionErasure(api.dependencies.db, api.dependencies.objects).sweep(parse_id("sess", session["id"]))
            await asyncio.sleep(1.1 * FRESH_SECONDS)
            ready = await api.call("GET", "/readyz", key=None)
            assert (ready.content["status"], ready.content["troubles"]) == ("ready", [])


async def test_a_server_whose_storage_lacks_what_recordings_need_is_not_ready(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The probe of its start says so, and what is missing."""
    with lacking_storage("multipart") as storage:
        for name, value in storage.variables.items():
            monkeypatch.setenv(name, value)
        async with api_server(database_url, tmp_path, storage_url=storage.url) as api:
            checking = asyncio.create_task(api.dependencies.storage.run())
            async with asyncio.timeout(20):
                while (await api.call("GET", "/readyz", key=None)).status == 200:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
            ready = await api.call("GET", "/readyz", key=None)
            assert (ready.status, ready.code) == (503, "storage.unavailable")
            assert "lacks what recordings need: multipart" in ready.content["error"]["troubles"][0]
            checking.cancel()


async def test_why_the_storage_is_away_is_on_the_page(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong secret, a bucket that nobody has made: in a sentence, and in the log once."""
    with lacking_storage() as storage:
        for name, value in storage.variables.items():
            monkeypatch.setenv(name, value)
        for url, lacks, cause in [
            (storage.url, {"secret"}, "storage: the storage refuses the signature: the secret key is wrong"),
            ("s3://nobodys-bucket/parley", set[str](), "storage: the bucket (or container) does not exist"),
        ]:
            storage.lacks = lacks
            async with api_server(database_url, tmp_path, storage_url=url) as api:
                ready = await api.call("GET", "/readyz", key=None)
                assert (ready.status, ready.code) == (503, "storage.unavailable")
                assert ready.content["error"]["troubles"] == [cause]


async def test_the_served_document_has_every_route_and_no_other(api: ApiServer) -> None:
    """OpenAPI 3.1 that parses; the page that shows it loads nothing from elsewhere."""
    reply = await api.call("GET", "/openapi.json", key=None)
    OpenAPIV31SpecValidator(reply.content).validate()
    assert reply.content["openapi"].startswith("3.1")
    documented = {(path, method.upper()) for path, methods in reply.content["paths"].items() for method in methods}
    routes = {
        (route.resource.canonical, route.method)
        for route in build_app(api.dependencies, base_url=api.base_url).router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    refusals = {(path, "*") for path, _ in documented} | {("/{path}", "*")}  # of other methods, and of other paths
    pages = {(path, "GET") for path in (*PAGE_PATHS, ASSET_PATH, LICENSES_PATH, ICON_PATH)}
    assert documented | refusals | pages == routes
    page = await api.call("GET", "/docs", key=None)
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"http://" not in page.body
    assert b"https://" not in page.body


async def test_postgresql_away_is_503_with_retry_after_in_time(tmp_path: Path) -> None:
    """A socket that nobody listens at: what needs the database says so quickly, the rest still works."""
    url = f"postgresql://parley@/parley?host={tmp_path}"
    async with api_server(url, tmp_path, serves=False, database_timeout_seconds=1) as api:
        for method, path, body in [
            ("GET", "/v1/sessions", None),
            ("POST", "/v1/sessions", create_body("room")),
            ("GET", "/v1/sessions/sess_01KB2F5W2Q4V9M7T8Y6R3N1C0A", None),
            ("GET", "/v1/usage/events", None),
        ]:
            started = time.monotonic()
            reply = await api.call(method, path, body)
            assert (reply.status, reply.code, reply.headers["Retry-After"]) == (503, "database.unavailable", "1")
            assert reply.content["error"]["type"] == "service_unavailable"
            assert reply.content["error"]["retry_after_seconds"] == 1
            assert time.monotonic() - started < 2
        ready = await api.call("GET", "/readyz", key=None)
        assert (ready.status, ready.code) == (503, "database.unavailable")
        assert (await api.call("GET", "/v1/status", key=None)).content["status"] == "degraded"
        assert (await api.call("GET", "/healthz", key=None)).status == 200


async def test_a_database_that_never_answers_is_503_in_time(tmp_path: Path) -> None:
    """It accepts connections and says nothing: the timeout of the settings holds."""
    async with silent_server() as port:
        url = f"postgresql://parley@127.0.0.1:{port}/parley"
        async with api_server(url, tmp_path, serves=False, database_timeout_seconds=1) as api:
            started = time.monotonic()
            reply = await api.call("GET", "/v1/sessions")
            assert (reply.status, reply.code) == (503, "database.unavailable")
            assert time.monotonic() - started < 2.5


async def test_a_bug_of_ours_is_500_in_the_envelope_and_logged_without_secrets(
    api: ApiServer, log: io.StringIO
) -> None:
    """A broken dependency stands for the bug; its text stays inside."""
    object.__setattr__(api.dependencies, "sessions", None)
    reply = await api.call("GET", "/v1/sessions?tag=eyJhbGciOiJIUzI1NiJ9.secret")
    assert (reply.status, reply.code, reply.content["error"]["type"]) == (500, "internal", "internal")
    assert b"NoneType" not in reply.body
    printed = log.getvalue()
    assert "request.crashed" in printed
    assert reply.content["error"]["request_id"] in printed
    assert "eyJ" not in printed


async def test_the_token_is_in_no_answer_log_table_or_file(
    api: ApiServer, tmp_path: Path, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """Created, replaced, refused, read back every way."""
    body = create_body("room")
    token = body["transport"]["worker_token"]
    replies = [await api.call("POST", "/v1/sessions", body, headers={"Idempotency-Key": "k"})]
    session = replies[0].content
    own = f"/v1/sessions/{session['id']}"
    replies += [
        await api.call("POST", "/v1/sessions", body, headers={"Idempotency-Key": "k"}),
        await api.call("POST", "/v1/sessions", body),
        await api.call("POST", "/v1/sessions", {**body, token: 1}),
        await api.call("POST", "/v1/sessions", create_body("other", transport={"worker_token": token})),
        await api.call("POST", "/v1/sessions", create_body("room", transport={"url": f"wss://x/{token}?{token}"})),
        await api.call("PUT", own + "/worker_token", {"worker_token": token}),
        await api.call("PUT", own + "/worker_token", {"worker_token": token + "x", "y": token}),
        await api.call("GET", own),
        await api.call("GET", own + "/events"),
        await api.call("GET", f"/v1/sessions?{token}=1"),
        await api.call("GET", f"/v1/sessions/{token}"),
        await api.call("GET", f"/{token}"),
        await api.call("GET", "/v1/sessions", key=token),
    ]
    parts = [part.encode() for part in token.split(".")[1:]]
    for reply in replies:
        assert not any(part in reply.body for part in parts), reply.content
    logged, printed = log.getvalue(), "".join(capsys.readouterr())
    dumped = await _dump(api)
    assert session["id"] in logged
    for part in parts:
        assert part.decode() not in logged + printed + dumped
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or not any(part in path.read_bytes() for part in parts)


async def _dump(api: ApiServer) -> str:
    """Every row of every table, as text."""
    from sqlalchemy import text

    async with api.dependencies.db.begin() as conn:
        names = (
            await conn.execute(text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"))
        ).scalars()
        rows = [
            (await conn.execute(text(f'SELECT to_jsonb(t)::text FROM "{name}" t'))).scalars().all() for name in names
        ]
    return json.dumps([list(table) for table in rows])


async def test_a_stopping_server_finishes_what_it_has_begun(api: ApiServer) -> None:
    """A request whose body is still arriving is answered; new connections are refused."""
    body = json.dumps(create_body("room")).encode()
    async with connection(api.base_url) as (reader, writer):
        writer.write(
            f"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {MASTER_KEY}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body[:10]
        )
        await asyncio.sleep(0.5)
        api.stopping.set()
        await asyncio.sleep(0.5)
        writer.write(body[10:])
        async with asyncio.timeout(10):
            answer = await reader.read()
            await api.task
    assert answer.startswith(b"HTTP/1.1 201 ")
