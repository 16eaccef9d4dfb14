"""Idempotency keys: one of the twins runs, all get its answer."""

import asyncio

from tests.support.running.api_server import ApiServer, create_body, worker_token


async def _post(api: ApiServer, body: object, key: str) -> tuple[int, bytes, str | None, str | None]:
    reply = await api.call("POST", "/v1/sessions", body, headers={"Idempotency-Key": key})
    code = None if reply.status < 300 else reply.code
    return reply.status, reply.body, reply.headers.get("Idempotent-Replayed"), code


async def _persist(api: ApiServer) -> tuple[int, bytes, str | None, str | None]:
    """As the contract tells clients: while the first is still running, repeat in a moment."""
    while True:
        answer = await _post(api, create_body("room"), "key-1")
        if answer[3] != "idempotency.in_progress":
            return answer


async def test_a_repetition_gets_the_first_answer_even_with_a_fresh_token(api: ApiServer) -> None:
    """Same status, same bytes, marked as replayed; the token is no part of the fingerprint."""
    first = await _post(api, create_body("room"), "key-1")
    again = await _post(api, create_body("room", transport={"worker_token": worker_token("room", ttl=900)}), "key-1")
    assert first[0] == 201
    assert first[2] is None
    assert again == (201, first[1], "true", None)
    assert len((await api.call("GET", "/v1/sessions")).content["data"]) == 1


async def test_a_repetition_says_where_the_session_is_too(api: ApiServer) -> None:
    """Location, as the first answer has it; in both documents."""
    for path, body in (("/v1/sessions", create_body("room")), ("/api/sessions", {"agent_id": "agent_x"})):
        replies = [await api.call("POST", path, body, headers={"Idempotency-Key": "key-1"}) for _ in range(2)]
        assert [reply.status for reply in replies] == [201, 201]
        assert [reply.headers["Location"] for reply in replies] == [f"{path}/{replies[0].content['id']}"] * 2


async def test_the_same_key_with_another_body_is_422(api: ApiServer) -> None:
    """Also when the body differs in one member only."""
    await _post(api, create_body("room"), "key-1")
    assert (await _post(api, create_body("room", title="x"), "key-1"))[::3] == (422, "idempotency.key_reused")


async def test_only_successes_are_kept(api: ApiServer) -> None:
    """A refused request gives the key back, at each stage."""
    assert (await _post(api, create_body("room", color=1), "key-1"))[3] == "field.unknown"
    assert (await _post(api, {"transport": {"type": "pipecat"}}, "key-1"))[3] == "transport.unsupported"
    assert (await _post(api, create_body("room", start_at="2999-01-01T00:00:00Z"), "key-1"))[
        3
    ] == "worker_token.expired"
    assert (await _post(api, create_body("room"), "key-1"))[0] == 201


async def test_the_schema_is_judged_before_the_key(api: ApiServer) -> None:
    """A broken body with a used key is a broken body."""
    await _post(api, create_body("room"), "key-1")
    assert (await _post(api, create_body("room", color=1), "key-1"))[3] == "field.unknown"


async def test_commands_take_keys_too_and_a_key_belongs_to_one_session(api: ApiServer) -> None:
    """end with the same key: the kept answer; the key on another session: 422; on another route: a new one."""
    one, two = await api.create("room-1"), await api.create("room-2")
    headers = {"Idempotency-Key": "key-1"}
    first = await api.call("POST", f"/v1/sessions/{one['id']}/end", headers=headers)
    again = await api.call("POST", f"/v1/sessions/{one['id'].lower()}/end", {}, headers=headers)
    assert (first.status, first.content["status"]) == (200, "canceled")
    assert (again.status, again.body, again.headers["Idempotent-Replayed"]) == (200, first.body, "true")
    other = await api.call("POST", f"/v1/sessions/{two['id']}/end", headers=headers)
    assert (other.status, other.code) == (422, "idempotency.key_reused")
    assert (await api.call("POST", f"/v1/sessions/{two['id']}/cancel", headers=headers)).status == 200


async def test_keys_are_1_to_255_printable_characters(api: ApiServer) -> None:
    """Otherwise 400."""
    for key, status in [("", 400), ("x" * 256, 400), ("ü", 400), ("a\tb", 400), ("x" * 255, 201)]:
        assert (await _post(api, create_body("room"), key))[0] == status, key


async def test_organizations_do_not_share_keys(api: ApiServer) -> None:
    """The same key of another organization is another key."""
    _, other = await api.dependencies.api_keys.create("other")
    await _post(api, create_body("room"), "key-1")
    reply = await api.call(
        "POST", "/v1/sessions", create_body("room"), key=other.get_secret_value(), headers={"Idempotency-Key": "key-1"}
    )
    assert (reply.status, reply.headers.get("Idempotent-Replayed")) == (201, None)


async def test_twenty_twins_through_two_servers_create_one_session(api: ApiServer, twin: ApiServer) -> None:
    """All answer alike; exactly one is not a replay."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_persist(server)) for server in (api, twin) for _ in range(10)]
    answers = [task.result() for task in tasks]
    assert {answer[0] for answer in answers} == {201}
    assert len({answer[1] for answer in answers}) == 1
    assert [answer[2] for answer in answers].count(None) == 1
    assert len((await api.call("GET", "/v1/sessions")).content["data"]) == 1
