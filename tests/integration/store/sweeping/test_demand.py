"""What processes that run on demand are started for: a job, a session to follow, an event for an endpoint."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest
from pydantic import SecretStr

from store.access.vault import TokenVault
from store.events.numbering import number_events
from store.events.organization_events import OrganizationEvents
from store.jobs.deferring import defer_finalize, defer_summarize
from store.outputs.live_transcripts import LiveTranscripts
from store.sweeping.demand import Demand, Wanted
from store.webhooks.endpoint_leases import EndpointLeases
from store.webhooks.endpoints import WebhookEndpoints
from tests.support.running.engine import Engine

HOST = "host"  # as `Engine.claim` says
NOTHING = Wanted(jobs=False, speech=False, webhooks=False)
JOBS = replace(NOTHING, jobs=True)
SPEECH = replace(NOTHING, speech=True)
WEBHOOKS = replace(NOTHING, webhooks=True)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    """The store's parts on a fresh database."""
    async with Engine.open(database_url) as opened:
        yield opened


async def test_a_process_is_wanted_for_a_job_that_can_run(engine: Engine) -> None:
    """By its queue; not for one that runs already or waits for its time."""
    demand = Demand(engine.db, HOST, follows=False)
    session_id = await engine.new_session()
    async with engine.db.begin() as conn:
        await defer_summarize(conn, session_id)
    assert await demand.look() == SPEECH
    await engine.sql("UPDATE procrastinate_jobs SET scheduled_at = clock_timestamp() + interval '1 minute'")
    assert await demand.look() == NOTHING
    await engine.sql("UPDATE procrastinate_jobs SET scheduled_at = NULL, status = 'doing'")
    assert await demand.look() == NOTHING
    async with engine.db.begin() as conn:
        await defer_finalize(conn, session_id)
    assert await demand.look() == JOBS


async def test_jobs_are_wanted_while_a_session_runs_here(engine: Engine) -> None:
    """Its recording is built at once when it ends. One that waits for a recorder, or runs elsewhere, needs none."""
    here, elsewhere = Demand(engine.db, HOST, follows=False), Demand(engine.db, "elsewhere", follows=False)
    fence = await engine.running()
    await engine.new_session()
    assert (await here.look(), await elsewhere.look()) == (JOBS, NOTHING)
    await engine.sql("UPDATE sessions SET status = 'ended' WHERE id = :id", id=fence.session_id)
    assert await here.look() == NOTHING


async def test_speech_is_wanted_for_a_session_that_this_host_is_to_follow(engine: Engine) -> None:
    """By the host that records it at once, by others when nobody follows it; by none where no engine would."""
    near, far = Demand(engine.db, HOST, follows=True), Demand(engine.db, "elsewhere", follows=True)

    async def wanted() -> tuple[bool, bool]:
        return (await near.look()).speech, (await far.look()).speech

    await engine.running(transcription_mode="after")
    assert await wanted() == (False, False)
    fence = await engine.running(transcription_mode="live")
    assert await wanted() == (True, False)
    assert not (await Demand(engine.db, HOST, follows=False).look()).speech
    [held] = await LiveTranscripts(engine.db).hold(uuid4(), HOST, 10)
    assert held.id == fence.session_id
    assert await wanted() == (False, False)
    await engine.sql("UPDATE live_transcripts SET held_until = clock_timestamp() - interval '1 hour'")
    assert await wanted() == (True, True)


async def test_webhooks_are_wanted_for_what_an_endpoint_is_to_get(engine: Engine) -> None:
    """An event that has no position yet, one that has; not while somebody delivers, nor where nobody is to get it."""
    demand = Demand(engine.db, "elsewhere", follows=True)
    events = OrganizationEvents(engine.db)
    endpoints = WebhookEndpoints(engine.db, events, TokenVault([SecretStr("k" * 40)]))
    fence = await engine.running()
    session = await engine.session(fence.session_id)
    await engine.sql(
        "INSERT INTO organizations (id, name, default_agent_id) VALUES (:id, 'acme', 'agent_acme')",
        id=session.organization_id,
    )
    await number_events(engine.db)
    made, _ = await endpoints.create(
        session.organization_id,
        agent_id=None,
        url="https://example.org/hook",
        event_types=["*"],
        description=None,
        reads_content=False,
    )
    assert await demand.look() == NOTHING
    await engine.running()
    assert await demand.look() == WEBHOOKS
    await number_events(engine.db)
    assert await demand.look() == WEBHOOKS
    leases = EndpointLeases(engine.db)
    lease = await leases.take(made.id)
    assert lease is not None
    assert await demand.look() == NOTHING
    await leases.release([lease])
    assert await demand.look() == WEBHOOKS
    await endpoints.update(session.organization_id, made.id, {"status": "disabled"}, agent_id=None)
    assert await demand.look() == NOTHING
