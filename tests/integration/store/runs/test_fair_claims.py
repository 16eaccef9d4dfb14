"""Claims are fair: who floods the queue delays its own sessions."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from store.runs.claimer import Claimer
from store.runs.fair_queue import _FAIR, find_line
from store.runs.look import Look
from tests.support.running.engine import STALLED_SECONDS, Engine

FLOODER, VICTIM, THIRD = (UUID(int=number) for number in (1, 2, 3))


def claimer(free: int = 1, **more: Any) -> Claimer:
    return Claimer(uuid4(), "host", free, (), False, STALLED_SECONDS, **more)


@pytest.mark.parametrize("look", [Look.QUICK, Look.THOROUGH])
async def test_the_organization_with_the_fewest_running_goes_first(engine: Engine, look: Look) -> None:
    """However long another one's line is and however early it came; lines of equals are served in turn, the oldest
    session first."""
    for _ in range(8):
        await engine.new_session(organization_id=FLOODER)
    victims = [await engine.new_session(organization_id=VICTIM) for _ in range(2)]
    third = await engine.new_session(organization_id=THIRD)
    order = []
    for _ in range(8):
        [claim] = await engine.claims.claim(claimer(), look)
        order.append(claim.session.organization_id)
        if order[-1] == VICTIM:
            assert claim.session.id == victims.pop(0)
        if order[-1] == THIRD:
            assert claim.session.id == third
    assert order == [FLOODER, VICTIM, THIRD, FLOODER, VICTIM, FLOODER, FLOODER, FLOODER]
    late = await engine.new_session(organization_id=THIRD)
    assert [claim.session.id for claim in await engine.claims.claim(claimer(), look)] == [late]
    [four] = [await engine.claims.claim(claimer(4), look)]
    assert [claim.session.organization_id for claim in four] == [FLOODER] * 3


async def test_agents_of_an_organization_take_turns(engine: Engine) -> None:
    """By the same rule."""
    for agent, sessions in (("loud", 6), ("quiet", 2)):
        for _ in range(sessions):
            await engine.new_session(organization_id=FLOODER, agent_id=agent)
    order = []
    for _ in range(5):
        [claim] = await engine.claims.claim(claimer(), Look.QUICK)
        order.append(claim.session.agent_id)
    assert order == ["loud", "quiet", "loud", "quiet", "loud"]


async def test_one_organization_does_not_have_all_joins_of_a_process(engine: Engine) -> None:
    """What it may not join yet stays in the queue, for other processes; others come in its place."""
    for _ in range(6):
        await engine.new_session(organization_id=FLOODER)
    for _ in range(3):
        await engine.new_session(organization_id=VICTIM)
    asks = claimer(8, joins_per_organization=3, joining={FLOODER: 1})
    claims = await engine.claims.claim(asks, Look.QUICK)
    organizations = [claim.session.organization_id for claim in claims]
    assert (organizations.count(FLOODER), organizations.count(VICTIM)) == (2, 3)
    assert engine.claims.held_back
    full = claimer(8, joins_per_organization=3, joining={FLOODER: 3})
    assert await engine.claims.claim(full, Look.THOROUGH) == []
    assert len(await engine.claims.claim(claimer(8), Look.QUICK)) == 4
    assert not engine.claims.held_back


async def _wait(engine: Engine, sessions: int, organizations: int) -> None:
    """Put sessions of so many organizations, and of four agents, into the queue."""
    await engine.sql(
        """
        INSERT INTO sessions (id, organization_id, agent_id, room_name, kind, status, url, room_key, worker_identity,
            audio_source, quality, multiplier, max_duration_seconds, idle_timeout_seconds, layout, on_pause,
            created_at, updated_at, queued_at)
        SELECT gen_random_uuid(), CAST(lpad(to_hex(1 + n % :organizations), 32, '0') AS uuid), 'agent ' || n % 4,
            'room ' || n, 'voice', 'queued', 'ws://rooms', 'rooms:80', 'worker', 'track', 'standard', 1, 3600, 30,
            'mono', 'silence', now(), now(), now()
        FROM generate_series(1, :sessions) AS n
        """,
        sessions=sessions,
        organizations=organizations,
    )
    await engine.sql("ANALYZE sessions")


@pytest.mark.parametrize(("organizations", "most_pages"), [(1, 1000), (205, 2500)])
async def test_a_look_reads_the_same_however_many_wait(engine: Engine, organizations: int, most_pages: int) -> None:
    """20,000 of one organization or of many: it reads a few of each."""
    await _wait(engine, 20_000, organizations)
    values = {"joining": [], "joins": [], "most_joins": 12, "lines": 20}
    [row] = await engine.sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {_FAIR.text}", **values)
    plan = row[0][0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < most_pages, plan
    async with engine.db.begin() as conn:
        assert len(await find_line(conn, claimer(25))) == 200


async def test_of_many_organizations_those_with_the_fewest_running_are_read(engine: Engine) -> None:
    """Also when many more have something in the queue than a look reads lines of."""
    await _wait(engine, 300, 60)
    await engine.sql(
        "UPDATE sessions SET status = 'running' WHERE id IN (SELECT DISTINCT ON (organization_id) id FROM sessions"
        " WHERE organization_id <> CAST(:quiet AS uuid))",
        quiet=UUID(int=7),
    )
    for _ in range(5):
        async with engine.db.begin() as conn:
            first = (await find_line(conn, claimer(1)))[0]
        assert (await engine.session(first)).organization_id == UUID(int=7)
