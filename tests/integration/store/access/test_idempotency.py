"""Idempotency keys: one request runs, its twins get its answer, whichever process they reach."""

import asyncio
import multiprocessing
from multiprocessing.queues import SimpleQueue
from uuid import UUID

import pytest

from sessions.errors import ParleyError
from store.access.idempotency import Idempotency, IdempotencyTicket, Replay, TicketLostError
from tests.integration.store.store_services import StoreServices, new_session, rendered, store_services

ROUTE = "POST /v1/sessions"


async def create_once(store: StoreServices, key: str) -> bytes:
    """What a client and a route do: a ticket, the work, the answer; or the answer of who was faster."""
    while True:
        try:
            ticket = await store.idempotency.begin(store.organization_id, ROUTE, key, b"fingerprint")
            break
        except ParleyError as error:
            if error.code != "idempotency.in_progress":  # on a busy machine the first one may take its time
                raise
    if isinstance(ticket, Replay):
        return ticket.body
    try:
        session = await store.sessions.creation.create(
            store.organization_id, new_session(), idempotency=ticket, render=rendered
        )
    except ParleyError:
        await store.idempotency.release(ticket)
        raise
    return rendered(session)[1]


async def _ticket(store: StoreServices, key: str = "k", fingerprint: bytes = b"f") -> IdempotencyTicket:
    ticket = await store.idempotency.begin(store.organization_id, ROUTE, key, fingerprint)
    assert isinstance(ticket, IdempotencyTicket)
    return ticket


def _race(url: str, keys: list[str], answers: "SimpleQueue[tuple[str, bytes]]") -> None:
    async def run() -> None:
        async with store_services(url) as store, asyncio.TaskGroup() as group:

            async def once(key: str) -> None:
                answers.put((key, await create_once(store, key)))

            for key in keys:
                group.create_task(once(key))

    asyncio.run(run())


async def test_two_processes_racing_the_same_keys_make_one_session_each(database_url: str) -> None:
    """Two API processes, ten keys, each sent three times by both: ten sessions, and all six answers are the same."""
    keys = [f"key-{number}" for number in range(10)] * 3
    context = multiprocessing.get_context("spawn")
    answers: SimpleQueue[tuple[str, bytes]] = context.SimpleQueue()
    async with store_services(database_url) as store:
        racers = [context.Process(target=_race, args=(database_url, keys, answers)) for _ in range(2)]
        for racer in racers:
            racer.start()
        for racer in racers:
            await asyncio.to_thread(racer.join, 60)
        assert [racer.exitcode for racer in racers] == [0, 0]
        got: dict[str, set[bytes]] = {}
        count = 0
        while not answers.empty():
            key, body = answers.get()
            got.setdefault(key, set()).add(body)
            count += 1
        assert (count, len(got)) == (60, 10)
        assert {len(bodies) for bodies in got.values()} == {1}
        made = {f'{{"id":"{row.id}"}}'.encode() for row in await store.execute("SELECT id FROM sessions")}
        assert made == {body for bodies in got.values() for body in bodies}
    answers.close()


async def test_a_twin_waits_for_the_answer(database_url: str) -> None:
    """It gets the first one's answer as soon as that is committed."""
    async with store_services(database_url) as one, store_services(database_url) as two, asyncio.TaskGroup() as group:
        ticket = await _ticket(one)
        twin = group.create_task(two.idempotency.begin(two.organization_id, ROUTE, "k", b"f"))
        async with one.db.begin() as conn:
            await ticket.store(conn, 201, b"answer")
            assert not twin.done()
        async with asyncio.timeout(2):
            assert await twin == Replay(201, b"answer")


async def test_a_twin_waits_no_longer_than_its_time(database_url: str) -> None:
    """Then it is told to come back."""
    async with store_services(database_url) as store:
        await _ticket(store)
        impatient = Idempotency(store.db, wait_seconds=0.2)
        with pytest.raises(ParleyError) as caught:
            await impatient.begin(store.organization_id, ROUTE, "k", b"f")
        assert caught.value.code == "idempotency.in_progress"


async def test_another_body_is_refused(database_url: str) -> None:
    """While the first runs, and after it has been answered."""
    async with store_services(database_url) as store:
        ticket = await _ticket(store)
        for _ in range(2):
            with pytest.raises(ParleyError) as caught:
                await store.idempotency.begin(store.organization_id, ROUTE, "k", b"other")
            assert caught.value.code == "idempotency.key_reused"
            async with store.db.begin() as conn:
                await ticket.store(conn, 201, b"") if _ == 0 else None


async def test_keys_are_apart_by_organization_and_route(database_url: str) -> None:
    """The same key elsewhere is another key."""
    async with store_services(database_url) as store:
        await _ticket(store)
        for organization_id, route in ((UUID(int=7), ROUTE), (store.organization_id, "POST /v1/sessions/{id}/end")):
            other = await store.idempotency.begin(organization_id, route, "k", b"other")
            assert isinstance(other, IdempotencyTicket)


async def test_a_released_key_can_be_used_again(database_url: str) -> None:
    """After a failure the next request with it runs; after a success a release changes nothing."""
    async with store_services(database_url) as store:
        await store.idempotency.release(await _ticket(store))
        ticket = await _ticket(store, fingerprint=b"corrected")
        async with store.db.begin() as conn:
            await ticket.store(conn, 201, b"kept")
        await store.idempotency.release(ticket)
        assert await store.idempotency.begin(store.organization_id, ROUTE, "k", b"corrected") == Replay(201, b"kept")


async def test_a_dead_process_s_key_is_taken_over(database_url: str) -> None:
    """When its lease has run out; should the first one be alive after all, it can't commit any more."""
    async with store_services(database_url) as store:
        slow = await _ticket(store)
        await store.execute("UPDATE idempotency_keys SET renewed_at = renewed_at - interval '6 seconds'")
        successor = await _ticket(store)
        with pytest.raises(TicketLostError):
            await store.sessions.creation.create(
                store.organization_id, new_session(), idempotency=slow, render=rendered
            )
        await store.idempotency.release(slow)
        assert await store.execute("SELECT 1 FROM sessions") == []
        session = await store.sessions.creation.create(
            store.organization_id, new_session(), idempotency=successor, render=rendered
        )
        assert await store.idempotency.begin(store.organization_id, ROUTE, "k", b"f") == Replay(*rendered(session))


async def test_an_answer_is_kept_for_a_day(database_url: str) -> None:
    """Then the key is as good as new, whether or not the old row has been purged."""
    async with store_services(database_url) as store:
        ticket = await _ticket(store)
        async with store.db.begin() as conn:
            await ticket.store(conn, 201, b"old")
        await store.execute("UPDATE idempotency_keys SET created_at = now() - interval '23 hours 59 minutes'")
        assert await store.idempotency.begin(store.organization_id, ROUTE, "k", b"f") == Replay(201, b"old")
        await store.execute("UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 minute'")
        await _ticket(store, fingerprint=b"another body")


async def test_a_failed_create_leaves_no_answer(database_url: str) -> None:
    """The answer is written by the transaction that does the work, so it goes with it."""
    async with store_services(database_url) as store:
        await store.sessions.creation.create(store.organization_id, new_session(room_name="r"), render=rendered)
        ticket = await _ticket(store)
        with pytest.raises(ParleyError):
            await store.sessions.creation.create(
                store.organization_id, new_session(room_name="r"), idempotency=ticket, render=rendered
            )
        assert await store.execute("SELECT status FROM idempotency_keys") == [(None,)]
