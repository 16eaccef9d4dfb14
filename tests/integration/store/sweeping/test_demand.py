"""What processes that run on demand are started for: a job, a session to follow, an event for an endpoint."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from pydantic import SecretStr

from store.access.vault import TokenVault
from store.events.numbering import number_events
from store.events.organization_events import OrganizationEvents
from store.jobs.jobs import defer_finalize, defer_summarize
from store.outputs.live_transcripts import LiveTranscripts
from store.sweeping.demand import Demand, Wanted
from store.webhooks.endpoint_leases import EndpointLeases
from store.webhooks.endpoints import WebhookEndpoints
from tests.support.engine import Engine

HOST = "host"  # as `Engine.claim` says
NOTHING = Wanted(speech=False, webhooks=False)
SPEECH = Wanted(speech=True, webhooks=False)
WEBHOOKS = Wanted(speech=False, webhooks=True)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    """The store's parts on a fresh database."""
    async with Engine.open(database_url) as opened:
        yield opened


async def test_speech_is_wanted_for_a_job_that_can_run(engine: Engine) -> None:
    """Not for the short ones, which another process runs, nor for one that runs already or waits for its time."""
    demand = Demand(engine.db, HOST, follows=False)
    session_id = await engine.new_session()
    async with engine.db.begin() as conn:
        await defer_finalize(conn, session_id)
    assert await demand.look() == NOTHING
    async with engine.db.begin() as conn:
        await defer_summarize(conn, session_id)
    assert await demand.look() == SPEECH
    speech = "UPDATE procrastinate_jobs SET {} WHERE queue_name = 'speech'"
    await engine.sql(speech.format("scheduled_at = clock_timestamp() + interval '1 minute'"))
    assert await demand.look() == NOTHING
    await engine.sql(speech.format("scheduled_at = NULL, status = 'doing'"))
    assert await demand.look() == NOTHING


async def test_speech_is_wanted_for_a_session_that_this_host_is_to_follow(engine: Engine) -> None:
    """By the host that records it at once, by others when nobody follows it; by none where no engine would."""
    near, far = Demand(engine.db, HOST, follows=True), Demand(engine.db, "elsewhere", follows=True)
    await engine.running(transcription_mode="after")
    assert await near.look() == NOTHING
    fence = await engine.running(transcription_mode="live")
    assert (await near.look(), await far.look()) == (SPEECH, NOTHING)
    assert await Demand(engine.db, HOST, follows=False).look() == NOTHING
    owner, live = uuid4(), LiveTranscripts(engine.db)
    [held] = await live.hold(owner, HOST, 10)
    assert held.id == fence.session_id
    assert (await near.look(), await far.look()) == (NOTHING, NOTHING)
    await engine.sql("UPDATE live_transcripts SET held_until = clock_timestamp() - interval '1 hour'")
    assert (await near.look(), await far.look()) == (SPEECH, SPEECH)


async def test_webhooks_are_wanted_for_what_an_endpoint_is_to_get(engine: Engine) -> None:
    """An event that has no position yet, one that has; not while somebody delivers, nor where nobody is to get it."""
    demand = Demand(engine.db, HOST, follows=True)
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
