"""What one organization may ask for, over HTTP and from the command line."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from parley import cli
from sessions.texts.timestamps import format_timestamp
from store.access import idempotency
from store.access.organizations import change_limits
from store.sessions import quota
from tests.support.running.api_server import MASTER_KEY, ApiServer, Reply, api_server, create_body


async def _set(api: ApiServer, **limits: int | None) -> None:
    assert await change_limits(api.dependencies.db, "default", limits) is not None


async def _until_refused(api: ApiServer, path: str, key: str | None) -> tuple[list[int], Reply]:
    """The statuses of the answers before the first 429, and that one: it comes however slow the machine is."""
    statuses: list[int] = []
    while True:
        reply = await api.call("GET", path, key=key)
        if reply.status == 429:
            return statuses, reply
        statuses.append(reply.status)
        assert len(statuses) < 500


async def test_more_than_a_key_may_ask_is_refused_with_what_is_left(api: ApiServer) -> None:
    """Every answer says what is left; the limit is the organization's own, and known at once."""
    answer = await api.call("GET", "/v1/codes")
    assert answer.headers["RateLimit"] == '"key";r=2499;t=1, "organization";r=4999;t=1'
    await _set(api, key_requests_per_second=1)
    answered, refused = await _until_refused(api, "/v1/codes", MASTER_KEY)
    assert refused.code == "rate_limit.requests"
    assert refused.content["error"]["type"] == "rate_limit"
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["RateLimit"].startswith('"key";r=0')
    assert answered[:10] == [200] * 10
    probe = await api.call("GET", "/healthz", key=None)
    assert (probe.status, "RateLimit" in probe.headers) == (200, False)


async def test_strangers_are_limited_by_their_address_and_keys_are_not(database_url: str, tmp_path: Path) -> None:
    """Guessing keys ends in 429; whoever shares the address and has a key notices nothing."""
    async with api_server(database_url, tmp_path, limit_address_requests_per_second=1) as api:
        guesses, refused = await _until_refused(api, "/v1/codes", f"parley_master_{'x' * 43}")
        assert guesses[:10] == [401] * 10
        assert refused.code == "rate_limit.requests"
        documents, _ = await _until_refused(api, "/openapi.json", None)
        assert len(documents) < 10
        assert (await api.call("GET", "/v1/codes")).status == 200


async def test_quotas_are_exact_however_many_create_at_once(
    api: ApiServer, twin: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes and dozens of requests at the same time: not one session too many, and not one too few."""
    monkeypatch.setattr(quota, "CREATIONS_AT_ONCE", 10)  # two pools have eight connections
    await _set(api, concurrent_sessions=20)

    async def create(number: int) -> tuple[int, str | None]:
        server = (api, twin)[number % 2]
        for _ in range(20):
            reply = await server.call("POST", "/v1/sessions", create_body(f"room-{number}"))
            if reply.status != 503:
                break
        if reply.status == 429:
            assert reply.content["error"]["limit"] == 20
            assert reply.content["error"]["used"] == 20
        return reply.status, None if reply.status == 201 else reply.code

    answers = await asyncio.gather(*(create(number) for number in range(40)))
    assert sorted(answers, key=str) == [(201, None)] * 20 + [(429, "quota.sessions")] * 20
    report = (await api.call("GET", "/v1/limits")).content
    assert report["concurrent_sessions"] == {"limit": 20, "used": 20, "remaining": 0}
    assert report["queued_sessions"]["used"] == 20


async def test_a_scheduled_session_holds_its_place(api: ApiServer) -> None:
    """Many for one instant don't get around the limit, however many ask at once; each has a place when it is due."""
    await _set(api, concurrent_sessions=2, queued_sessions=0)
    start_at = format_timestamp(datetime.now(UTC) + timedelta(hours=1))
    async with asyncio.TaskGroup() as group:
        bodies = [create_body(f"room-{number}", start_at=start_at) for number in range(6)]
        asked = [group.create_task(api.call("POST", "/v1/sessions", body)) for body in bodies]
    answers = [task.result() for task in asked]
    assert sorted(answer.status for answer in answers) == [201] * 2 + [429] * 4
    assert {answer.code for answer in answers if answer.status == 429} == {"quota.sessions"}
    assert (await api.call("POST", "/v1/sessions", create_body("room-now"))).code == "quota.sessions"
    assert (await api.call("GET", "/v1/limits")).content["concurrent_sessions"]["used"] == 2
    [first, _] = [answer.content for answer in answers if answer.status == 201]
    assert (await api.call("POST", f"/v1/sessions/{first['id']}/cancel")).status == 200
    assert (await api.call("POST", "/v1/sessions", create_body("room-now"))).status == 201


async def test_an_ended_session_makes_room_and_the_answer_says_how_much(api: ApiServer) -> None:
    """Sessions that wait for their start_at wait, too; a session of text is none of voice until it has a room."""
    await _set(api, queued_sessions=2)
    first = await api.create("room-1")
    later = await api.call("POST", "/v1/sessions", create_body("room-2", start_at="2099-01-01T00:00:00Z"))
    if later.status != 201:  # no token lasts so long
        later = await api.call("POST", "/v1/sessions", create_body("room-2"))
    assert '"queued_sessions";r=0' in later.headers["RateLimit"]
    assert '"queued_sessions";q=2' in later.headers["RateLimit-Policy"]
    refused = await api.call("POST", "/v1/sessions", create_body("room-3"))
    assert (refused.status, refused.code, refused.headers["Retry-After"]) == (429, "quota.sessions", "5")
    bare = await api.call("POST", "/api/sessions", {"agent_id": "agent_a"})
    assert bare.status == 201, bare.content
    data = {"transport": create_body("room-4")["transport"]}
    seat = await api.call("PATCH", f"/api/sessions/{bare.content['id']}", {"data": data})
    assert (seat.status, seat.code) == (429, "quota.sessions")
    assert (await api.call("POST", f"/v1/sessions/{first['id']}/cancel")).status == 200
    assert (await api.call("POST", "/v1/sessions", create_body("room-3"))).status == 201


async def test_creates_messages_and_keys_have_limits_of_their_own(api: ApiServer) -> None:
    """A repetition with the same Idempotency-Key costs none of them."""
    await _set(api, creates_per_minute=2, messages_per_minute=1, api_keys=2)
    body, key = create_body("room-1"), {"Idempotency-Key": "once"}
    for _ in range(3):
        assert (await api.call("POST", "/v1/sessions", body, headers=key)).status == 201
    session = (await api.call("POST", "/api/sessions", {"agent_id": "agent_a"})).content
    refused = await api.call("POST", "/v1/sessions", create_body("room-2"))
    assert (refused.status, refused.code) == (429, "rate_limit.creates")
    assert '"creates";r=0' in refused.headers["RateLimit"]
    assert '"key";' in refused.headers["RateLimit"]
    path = f"/v1/sessions/{session['id']}/messages"
    sent = [await api.call("POST", path, {"role": "user", "content": "hello"}) for _ in range(2)]
    assert [one.status for one in sent] == [201, 429]
    assert sent[1].code == "rate_limit.messages"
    made = [await api.call("POST", "/v1/api_keys", {"kind": "master"}) for _ in range(2)]
    assert [one.status for one in made] == [201, 402]
    assert made[1].code == "quota.keys"


async def test_answers_of_idempotency_keys_are_bounded(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit no key is taken; repetitions get their answer, and requests without a key are answered."""
    monkeypatch.setattr(idempotency, "LOOK_SECONDS", 0)
    await _set(api, answers_mb=3)

    async def create(key: str | None) -> Reply:
        headers = {} if key is None else {"Idempotency-Key": key}
        return await api.call("POST", "/v1/sessions", create_body(f"room-{key}"), headers=headers)

    first = await create("first")
    assert first.status == 201
    async with api.dependencies.db.begin() as conn:
        [kept] = (await conn.execute(text("SELECT bytes FROM answer_bytes"))).scalars()
        assert kept == len(first.body) + 512
        await conn.execute(text("UPDATE answer_bytes SET bytes = bytes + 2999000"))
    assert (await api.call("GET", "/v1/limits")).content["answers_mb"] == {"limit": 3, "used": 3, "remaining": 0}
    refused = await create("second")
    assert (refused.status, refused.code, refused.headers["Retry-After"]) == (429, "quota.answers", "3600")
    assert (await create("first")).body == first.body
    assert (await create(None)).status == 201
    await _set(api, answers_mb=4)
    assert (await create("second")).status == 201
    async with api.dependencies.db.begin() as conn:
        await conn.execute(text("UPDATE answer_bytes SET hour = hour - interval '24 hours'"))
    assert (await api.call("GET", "/v1/limits")).content["answers_mb"]["used"] == 0


async def test_the_command_line_sets_and_shows_limits(
    api: ApiServer,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """0 is none, default the installation's; a wrong number or name is said in a sentence."""
    for name, value in {"DATABASE_URL": database_url, "SECRET_KEY": "s" * 40, "DATA_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(f"PARLEY_{name}", value)

    async def limits(*arguments: str) -> tuple[int, str]:
        code = await asyncio.to_thread(cli.main, ["organizations", "limits", *arguments])
        said = capsys.readouterr()
        return code, said.out + said.err

    code, shown = await limits("default", "--concurrent", "50", "--keys", "0")
    lines = {line.split()[0]: line.split(maxsplit=1)[1].strip() for line in shown.splitlines()}
    assert code == 0
    assert lines["concurrent_sessions"].split(maxsplit=1) == ["50", "its own"]
    assert lines["api_keys"] == "no limit  its own"
    assert lines["requests_per_second"].split(maxsplit=1) == ["500", "the installation's"]
    report = (await api.call("GET", "/v1/limits")).content
    assert report["concurrent_sessions"]["limit"] == 50
    assert report["api_keys"]["limit"] is None
    _, shown = await limits("default", "--concurrent", "default")
    assert "its own" in shown
    assert "10000  the installation's" in shown
    assert (await limits("nobody"))[0] == 1
    code, said = await limits("default", "--queued", "many")
    assert (code, "queued_sessions takes a number" in said) == (2, True)
