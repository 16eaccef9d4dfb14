"""Disks fill up, databases go away, clients race."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest

from tests.support.rules.never_silently_wrong import assert_never_silently_wrong
from tests.support.running.stack import MASTER_KEY, Stack, eventually
from tests.support.services.postgres_cluster import PostgresCluster
from tests.support.talkers.beeps import mint_token
from tests.support.talkers.slots import SlotTalker, SlotVoice


@pytest.mark.long
async def test_a_database_that_is_away_for_20_seconds_costs_no_audio(
    own_stack: Stack, own_postgres: PostgresCluster, room: str, tmp_path: Path
) -> None:
    """The API says 503 with Retry-After, workers keep recording and catch up, and nobody takes anything over."""
    stack = own_stack
    await stack.start_api()
    await stack.start_worker("first")
    await stack.start_worker("second")
    rooms = [f"{room}-{number}" for number in range(3)]

    def speaker(name: str) -> SlotTalker:
        token = mint_token(stack.livekit.api_key, stack.livekit.api_secret, name, "ann")
        return SlotTalker(stack.livekit.url, token, SlotVoice(0))

    async with speaker(rooms[0]) as ann, speaker(rooms[1]) as bob, speaker(rooms[2]) as eve:
        sessions = [await stack.create(name) for name in rooms]
        for session in sessions:
            await stack.reach(session["id"], "running")
        await asyncio.sleep(3)
        await asyncio.to_thread(own_postgres.stop)
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {MASTER_KEY}"}) as http,
            http.get(f"{stack.bases[0]}/v1/sessions") as answer,
        ):
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) >= 1
            assert (await answer.json())["error"]["code"] == "database.unavailable"
        await asyncio.sleep(18)
        await asyncio.to_thread(own_postgres.start)

        async def back() -> bool:
            return (await stack.call("GET", "/v1/sessions"))[0] == 200

        await eventually(back, seconds=15, what="the API answers again")
        await asyncio.sleep(6)
        ended = [await stack.end(session["id"]) for session in sessions]

    assert [(one["status"], one["epoch"]) for one in ended] == [("ended", 1)] * 3
    for one, talker in zip(ended, (ann, bob, eve), strict=True):
        [truth] = (await assert_never_silently_wrong(stack, one["id"], [talker], tmp_path)).values()
        assert truth.lost == 0, truth
        _, recording = await stack.call("GET", f"/v1/sessions/{one['id']}/recording")
        assert recording["state"] == "available", recording


async def test_a_full_disk_fails_that_session_and_keeps_what_it_had(
    stack: Stack, room: str, speaker: Callable[..., SlotTalker], tmp_path: Path
) -> None:
    """The spool's disk is full: failed, storage.full, and the beginning is in the file."""
    await stack.start_api()
    data_dir = tmp_path / "small"
    (data_dir / "spool").mkdir(parents=True)
    mount = f'mount -t tmpfs -o size=700k,mode=0700 tmpfs {data_dir}/spool && exec "$@"'
    await stack.start_worker(
        "worker",
        prefix=("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"),
        PARLEY_DATA_DIR=str(data_dir),
        PARLEY_SEGMENT_SECONDS="20",  # one segment is larger than the disk
    )
    async with speaker("ann", 0) as ann:
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        failed = await stack.reach(session["id"], "failed", seconds=60)

    assert failed["error"]["code"] == "storage.full"
    truths = await assert_never_silently_wrong(stack, session["id"], [ann], tmp_path)
    assert truths["ann"].heard > 10


async def test_two_api_processes_racing_one_idempotency_key_make_one_session(stack: Stack, room: str) -> None:
    """20 requests over two processes at once: one session, one body, replays marked as such."""
    await stack.start_api("api-1")
    await stack.start_api("api-2")
    body = {
        "transport": {
            "type": "livekit",
            "url": stack.livekit.url,
            "room_name": room,
            "worker_token": stack.token(room),
        }
    }
    answers: list[tuple[int, str, str | None]] = []

    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {MASTER_KEY}"}) as http:

        async def one(number: int) -> None:
            url = f"{stack.bases[number % 2]}/v1/sessions"
            async with http.post(url, json=body, headers={"Idempotency-Key": "the-same"}) as answer:
                answers.append((answer.status, (await answer.json())["id"], answer.headers.get("Idempotent-Replayed")))

        async with asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(one(number))

    assert {status for status, _, _ in answers} == {201}
    assert len({session_id for _, session_id, _ in answers}) == 1
    assert [replayed for _, _, replayed in answers].count(None) == 1
    _, page = await stack.call("GET", "/v1/sessions")
    assert len(page["data"]) == 1


async def test_the_key_of_a_request_that_died_with_its_process_is_free_in_seconds(stack: Stack, room: str) -> None:
    """kill -9 of an API in the middle of a creation: a repetition through another one makes the one session."""
    lease_seconds = 4
    for name in ("api-1", "api-2"):
        await stack.start_api(name, PARLEY_IDEMPOTENCY_LEASE_SECONDS=str(lease_seconds))
    transport = {
        "type": "livekit",
        "url": stack.livekit.url,
        "room_name": room,
        "worker_token": stack.token(room),
    }

    async def post(base: str) -> tuple[int, Any]:
        headers = {"Idempotency-Key": "once"}
        return await stack.call("POST", "/v1/sessions", {"transport": transport}, base=base, headers=headers)

    async with (
        await psycopg.AsyncConnection.connect(stack.database_url) as blocker,
        await psycopg.AsyncConnection.connect(stack.database_url, autocommit=True) as observer,
    ):
        await blocker.execute("LOCK TABLE sessions IN EXCLUSIVE MODE")  # it writes nothing, so it stays in the middle
        first = asyncio.create_task(post(stack.bases[0]))

        async def has_begun() -> bool:
            return await (await observer.execute("SELECT 1 FROM idempotency_keys")).fetchone() is not None

        await eventually(has_begun, seconds=5, what="the key is taken")
        stack.processes[0].kill()
        died = time.monotonic()
        assert await first == (0, None)
        await blocker.rollback()

    async def made() -> Any:
        status, answer = await post(stack.bases[1])
        assert status in (201, 409), answer
        return answer if status == 201 else None

    session = await eventually(made, seconds=30, what="the repetition succeeds")
    assert time.monotonic() - died <= lease_seconds + 5
    _, page = await stack.call("GET", "/v1/sessions", base=stack.bases[1])
    assert [one["id"] for one in page["data"]] == [session["id"]]
