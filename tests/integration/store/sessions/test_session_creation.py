"""Creating a session: all of it or nothing, once per room and identity, and its fate is found out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.destinations.worker_token import WorkerTokenClaims
from sessions.errors import DatabaseUnavailableError, ParleyError
from sessions.ids import created_at, format_id
from sessions.lifecycle.lifecycle import Status
from store.access.vault import Slot
from store.database.database import CommitUnknown, Database
from store.database.notify.notifications import Listener
from store.sessions.creation import SessionCreation
from store.sessions.quota import UNLIMITED
from store.sessions.sessions import Sessions
from tests.integration.store.store_services import TOKEN, dump_of_everything, new_session, rendered, store_services


async def test_a_new_session_is_queued_with_its_events_and_its_token_sealed(database_url: str) -> None:
    """The row, the log and the sealed token are there after one call, and the default agent is filled in."""
    async with store_services(database_url) as store:
        new = new_session(metadata={"a": 1}, tags=("x", "y"), title="t", capabilities=[{"name": "c"}])
        session = await store.sessions.creation.create(store.organization_id, new, render=rendered)
        assert session == await store.sessions.queries.get(store.organization_id, new.id)
        assert (session.status, session.epoch, session.version) == (Status.QUEUED, 0, 1)
        assert (session.metadata, session.tags, session.title) == ({"a": 1}, ("x", "y"), "t")
        assert session.created_at == created_at(new.id)
        assert session.agent_id.startswith("agent_")
        timeline, _ = await store.sessions.queries.timeline(store.organization_id, new.id)
        assert [(e.seq, e.type, e.status_from, e.status_to) for e in timeline] == [
            (1, "session.created", None, "created"),
            (2, "session.queued", "created", "queued"),
        ]
        [(slot, sealed)] = await store.execute("SELECT slot, sealed FROM worker_tokens")
        assert store.vault.open(new.id, slot, sealed) == TOKEN


async def test_a_rooms_key_is_sealed_beside_the_token_and_goes_with_it(database_url: str) -> None:
    """It stays when another token takes the place of the first one; the session says that it had a key."""
    shared_key = SecretStr("a passphrase")
    async with store_services(database_url) as store:
        plain = new_session()
        assert plain.transport is not None
        new = replace(plain, transport=replace(plain.transport, e2ee=True), shared_key=shared_key)
        session = await store.sessions.creation.create(store.organization_id, new, render=rendered)
        claims = WorkerTokenClaims(
            "worker",
            plain.transport.room_name,
            session.created_at,
            can_publish=True,
            hidden=False,
            recorder=False,
            can_publish_data=True,
        )
        await store.sessions.commands.replace_token(store.organization_id, new.id, SecretStr("x.y.z"), claims)
        [(sealed,)] = await store.execute("SELECT sealed_shared_key FROM worker_tokens")
        assert store.vault.open(new.id, Slot.SHARED_KEY, sealed) == shared_key
        dump = dump_of_everything(database_url)
        assert "passphrase" not in dump
        assert b"passphrase".hex() not in dump
        await store.sessions.commands.end(store.organization_id, new.id)
        assert await store.execute("SELECT 1 FROM worker_tokens") == []
        session = await store.sessions.queries.get(store.organization_id, new.id)
        assert session.transport is not None
        assert session.transport.e2ee


async def test_the_token_is_in_no_row_of_any_table(database_url: str) -> None:
    """Not after create with an idempotency key, not after a replacement, not after the end."""
    async with store_services(database_url) as store:
        ticket = await store.idempotency.begin(store.organization_id, "POST /v1/sessions", "k", b"f")
        new = new_session()
        await store.sessions.creation.create(store.organization_id, new, idempotency=ticket, render=rendered)  # type: ignore[arg-type]
        while_active = dump_of_everything(database_url)
        await store.sessions.commands.end(store.organization_id, new.id)
        afterwards = dump_of_everything(database_url)
    for dump in (while_active, afterwards):
        assert str(new.id) in dump
        for part in TOKEN.get_secret_value().split("."):
            assert part not in dump
            assert part.encode().hex() not in dump


async def test_an_occupied_room_is_refused_with_the_session_that_has_it(database_url: str) -> None:
    """Same host and port, room and identity: 409 that names the other session; free again once that has ended."""
    async with store_services(database_url) as store:
        first = await store.sessions.creation.create(
            store.organization_id, new_session(room_name="r", url="wss://Rooms.example.com/a"), render=rendered
        )
        twin = new_session(room_name="r", url="https://rooms.EXAMPLE.com:443/b")
        with pytest.raises(ParleyError) as caught:
            await store.sessions.creation.create(store.organization_id, twin, render=rendered)
        assert caught.value.code == "room.identity_in_use"
        assert caught.value.extra["existing_session_id"] == format_id("sess", first.id)
        await store.sessions.creation.create(
            store.organization_id, new_session(room_name="r", url="wss://rooms.example.com:7880"), render=rendered
        )
        await store.sessions.commands.end(store.organization_id, first.id)
        assert (await store.sessions.creation.create(store.organization_id, twin, render=rendered)).id == twin.id


async def test_of_twenty_racing_creates_for_one_room_one_wins(database_url: str) -> None:
    """The unique index decides; every loser is told who won."""
    outcomes: list[str] = []

    async def create(store: Any) -> None:
        new = new_session(room_name="contested")
        try:
            session = await store.sessions.creation.create(store.organization_id, new, render=rendered)
            outcomes.append(f"won {format_id('sess', session.id)}")
        except ParleyError as error:
            outcomes.append(f"lost to {error.extra['existing_session_id']}")

    async with store_services(database_url) as one, store_services(database_url) as two, asyncio.TaskGroup() as group:
        for store in (one, two) * 10:
            group.create_task(create(store))
    [winner] = [outcome.removeprefix("won ") for outcome in outcomes if outcome.startswith("won")]
    assert sorted(outcomes) == sorted([f"won {winner}"] + [f"lost to {winner}"] * 19)


async def test_creating_wakes_the_workers(database_url: str) -> None:
    """A worker that listens hears of it at once."""
    async with store_services(database_url) as store, Listener.open(database_url) as listener:
        notifications = aiter(listener)
        assert (await anext(notifications)).channel == "reconnected"
        await store.sessions.creation.create(store.organization_id, new_session(), render=rendered)
        async with asyncio.timeout(5):
            heard = [await anext(notifications), await anext(notifications)]
        assert sorted(one.channel for one in heard) == ["parley_claim", "parley_event"]


class LosingDatabase(Database):
    """A database whose next COMMIT gets no answer; `done`: it was carried out, `stays_away`: so are all later ones.

    The loss itself is real: the transaction ends on the server, and the caller gets what `Database` says then.
    """

    done = True
    stays_away = False
    lost = False

    @asynccontextmanager
    async def begin(self, *, timeout_seconds: float | None = None) -> AsyncIterator[AsyncConnection]:
        """As `Database.begin`, with the fault."""
        if self.lost:
            if self.stays_away:
                raise DatabaseUnavailableError
            async with super().begin() as conn:
                yield conn
            return
        self.lost = True
        async with super().begin() as conn:
            yield conn
            if not self.done:
                await conn.rollback()
        raise CommitUnknown


@pytest.mark.parametrize("done", [True, False])
async def test_a_lost_answer_at_commit_is_looked_up(database_url: str, done: bool) -> None:
    """Found: success. Provably absent: 503 that says so, and nothing was written."""
    async with store_services(database_url) as store:
        losing = LosingDatabase(store.db._engine, store.db._terms, 1)
        losing.done = done
        sessions, new = Sessions.open(losing, store.vault), new_session()
        if done:
            created = await sessions.creation.create(store.organization_id, new, render=rendered)
            assert created == await store.sessions.queries.get(store.organization_id, new.id)
        else:
            with pytest.raises(DatabaseUnavailableError) as caught:
                await sessions.creation.create(store.organization_id, new, render=rendered)
            assert caught.value.code == "database.unavailable"
            assert await store.execute("SELECT 1 FROM sessions") == []


async def test_an_unknowable_commit_says_so(database_url: str) -> None:
    """While the database stays away nobody can tell: `commit.unknown`."""
    async with store_services(database_url) as store:
        losing = LosingDatabase(store.db._engine, store.db._terms, 2)
        losing.stays_away = True
        with pytest.raises(ParleyError) as caught:
            await Sessions.open(losing, store.vault).creation.create(
                store.organization_id, new_session(), render=rendered
            )
        assert caught.value.code == "commit.unknown"


async def test_looking_up_waits_for_a_commit_that_is_still_under_way(database_url: str) -> None:
    """A transaction that is only slow must not be taken for one that never happened."""
    async with store_services(database_url) as store:
        new = new_session()
        creation = SessionCreation(store.db, store.vault)
        async with asyncio.TaskGroup() as group, store.db.begin() as conn:
            await creation._write(conn, store.organization_id, new, None, rendered, UNLIMITED, print)
            lookup = group.create_task(creation._find_out(new.id))
            await until_waiting_for_a_lock(database_url)
            assert not lookup.done()
        assert lookup.result().id == new.id


async def until_waiting_for_a_lock(url: str) -> None:
    """Somebody waits for an advisory lock."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn, asyncio.timeout(5):
        query = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while await (await conn.execute(query)).fetchone() is None:  # noqa: ASYNC110 nobody tells us
            await asyncio.sleep(0.02)
