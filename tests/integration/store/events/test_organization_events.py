"""The organization's log: in order, without a gap, whoever commits late; bounded pages; honest cursors."""

import asyncio
import random
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from sessions.errors import ParleyError
from store.events.appending import append_event
from store.events.cursor import BEGINNING, Cursor
from store.events.event import Event
from store.events.organization_events import EXAMINED_AT_ONCE, OrganizationEvents, behind
from tests.support.running.engine import Engine

ORGANIZATION = UUID(int=1)
TYPE = "worker_token.replaced"


@pytest.fixture
def log(engine: Engine) -> OrganizationEvents:
    """Of the engine's database."""
    return OrganizationEvents(engine.db)


async def all_of(log: OrganizationEvents, organization_id: UUID = ORGANIZATION, **asked: object) -> list[Event]:
    """Every page of a log."""
    events: list[Event] = []
    cursor: Cursor | None = None
    while True:
        page = await log.after(organization_id, cursor, **asked)  # type: ignore[arg-type]
        events, cursor = [*events, *page.events], page.cursor
        if not page.has_more:
            return events


async def append(engine: Engine, count: int, organization_id: UUID = ORGANIZATION, agent_id: str = "agent") -> None:
    """So many events about nothing."""
    async with engine.db.begin() as conn:
        for _ in range(count):
            await append_event(conn, organization_id, TYPE, agent_id=agent_id, facts={})


async def test_an_event_that_commits_late_comes_late(engine: Engine, log: OrganizationEvents) -> None:
    """Not at a place that its readers have passed."""
    async with engine.db.begin() as late:
        await append_event(late, ORGANIZATION, TYPE, agent_id="late", facts={})
        await append(engine, 1, agent_id="early")
        [early] = (await log.after(ORGANIZATION, None)).events

    [behind_it] = (await log.after(ORGANIZATION, early.cursor)).events
    assert (early.agent_id, early.position, behind_it.agent_id, behind_it.position) == ("early", 1, "late", 2)


async def test_followers_miss_nothing_of_slow_committers(database_url: str) -> None:
    """Writers of two organizations commit in any order, or not at all; a stranger's transaction is open all along."""
    async with Engine.open(database_url, pool_size=12) as engine:
        await follow_slow_committers(engine, random.Random(4))


async def follow_slow_committers(engine: Engine, chance: random.Random) -> None:
    """Compare what the followers saw with what was committed."""
    log, organizations, writing = OrganizationEvents(engine.db), (uuid4(), uuid4()), True
    committed: dict[UUID, list[str]] = {organization: [] for organization in organizations}

    async def write(number: int) -> None:
        for turn in range(6):
            organization, mark = chance.choice(organizations), f"{number}.{turn}"
            await asyncio.sleep(chance.uniform(0, 0.05))
            try:
                async with engine.db.begin() as conn:
                    await append_event(conn, organization, TYPE, agent_id=mark, facts={})
                    await asyncio.sleep(chance.choice((0, 0.001, 0.01, 0.1)))
                    if chance.random() < 0.2:
                        raise LookupError
            except LookupError:
                continue
            committed[organization].append(mark)

    async def follow(organization: UUID, seen: list[Event]) -> None:
        cursor: Cursor | None = None
        while True:
            last = not writing
            page = await log.after(organization, cursor, limit=3)
            seen.extend(page.events)
            cursor = page.cursor
            if last and not page.has_more:
                return

    seen: dict[UUID, list[Event]] = {organization: [] for organization in organizations}
    async with engine.db.begin() as stranger:
        await stranger.execute(text("CREATE TEMPORARY TABLE strange ON COMMIT DROP AS SELECT pg_current_xact_id()"))
        async with asyncio.TaskGroup() as followers:
            for organization in organizations:
                followers.create_task(follow(organization, seen[organization]))
            async with asyncio.TaskGroup() as writers:
                for number in range(6):
                    writers.create_task(write(number))
            writing = False

    for organization in organizations:
        assert sorted(committed[organization]) == sorted(event.agent_id or "" for event in seen[organization])
    for organization in organizations:
        assert list(range(1, len(seen[organization]) + 1)) == [event.position for event in seen[organization]]


async def test_a_sessions_events_are_in_order_and_say_how_it_was(engine: Engine, log: OrganizationEvents) -> None:
    """Each has the session as it was then."""
    fence = await engine.running(metadata='{"case": 7}')

    events = await all_of(log, session_id=fence.session_id)

    assert [event.type for event in events] == ["session.starting", "session.running"]
    assert [event.seq for event in events] == [1, 2]
    first = events[0].to_json(content=True)
    assert first["data"]["session"]["status"] == "starting"
    assert first["data"]["status_from"] == "queued"
    assert first["data"]["session"]["metadata"] == {"case": 7}
    assert events[0].to_json(content=False)["data"]["session"]["metadata"] is None


async def test_pages_are_bounded_and_go_on_where_they_stopped(engine: Engine, log: OrganizationEvents) -> None:
    """Also one whose filter leaves everything out; it looks at no more than so many events."""
    await append(engine, 5)
    first = await log.after(ORGANIZATION, None, limit=2)
    second = await log.after(ORGANIZATION, first.cursor, limit=3)

    assert [event.position for event in first.events] == [1, 2]
    assert first.has_more
    assert [event.position for event in second.events] == [3, 4, 5]
    assert not second.has_more

    await engine.sql(
        "INSERT INTO event_inbox (id, organization_id, type, at, facts)"
        f" SELECT gen_random_uuid(), :id, 'session.ended', now(), '{{}}' FROM generate_series(1, {EXAMINED_AT_ONCE})",
        id=ORGANIZATION,
    )
    filtered = await log.after(ORGANIZATION, second.cursor, types={TYPE}, limit=3)
    assert filtered.events == ()
    assert filtered.cursor.position == 5 + EXAMINED_AT_ONCE


async def test_filters_and_organizations_are_kept_apart(engine: Engine, log: OrganizationEvents) -> None:
    """A cursor of one is unknown to the other."""
    await append(engine, 2, agent_id="one")
    await append(engine, 3, agent_id="two")
    other = uuid4()
    await append(engine, 1, other)

    assert [event.position for event in await all_of(log, agent_id="two", limit=2)] == [3, 4, 5]
    [foreign] = await all_of(log, other)
    with pytest.raises(ParleyError) as caught:
        await log.after(ORGANIZATION, foreign.cursor)
    assert caught.value.code == "cursor.unknown"


async def test_a_cursor_from_before_a_restore_is_told(engine: Engine, log: OrganizationEvents) -> None:
    """At its position there is nothing, or, later, another event."""
    await append(engine, 3)
    newest = await log.newest_cursor(ORGANIZATION)
    await engine.sql("DELETE FROM events WHERE position = 3")
    await engine.sql("UPDATE event_logs SET last_position = 2")
    for _ in range(2):
        with pytest.raises(ParleyError) as caught:
            await log.after(ORGANIZATION, newest)
        assert caught.value.code == "cursor.unknown"
        await append(engine, 1)


async def test_newest_is_the_beginning_of_an_empty_log(engine: Engine, log: OrganizationEvents) -> None:
    """Who starts there misses nothing either."""
    start = await log.newest_cursor(ORGANIZATION)
    await append(engine, 1)

    assert start == BEGINNING
    assert len((await log.after(ORGANIZATION, start)).events) == 1
    assert (await log.after(ORGANIZATION, await log.newest_cursor(ORGANIZATION))).events == ()


@pytest.mark.parametrize(
    ("asked", "index"),
    [({}, "pk_events"), ({"agent_id": "rare"}, "ix_events_agent"), ({"session_id": UUID(int=7)}, "ix_events_session")],
)
async def test_each_page_is_read_from_its_own_index(engine: Engine, asked: dict[str, object], index: str) -> None:
    """Also for an agent or a session with a few events among many."""
    await engine.sql(
        "INSERT INTO events (organization_id, position, id, session_id, agent_id, type, at, recorded_at, facts)"
        " SELECT :id, n, gen_random_uuid(), gen_random_uuid(), 'agent', 'session.ended', now(), now(), '{}'"
        " FROM generate_series(1, 5000) n",
        id=ORGANIZATION,
    )
    await engine.sql("ANALYZE events")
    query = behind(of_session="session_id" in asked, of_agent="agent_id" in asked)
    values = {"organization_id": ORGANIZATION, "position": 10, "examined": 101, **asked}
    plan = "\n".join(row[0] for row in await engine.sql(f"EXPLAIN {query}", **values))

    assert index in plan
    assert "Sort" not in plan
