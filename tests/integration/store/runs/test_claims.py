"""Claiming: who gets a session, and what a claim leaves behind."""

import asyncio
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from sessions.lifecycle.blame import Place, place
from sessions.lifecycle.lifecycle import Event, Status
from sessions.lifecycle.stop import Stop
from store.access.vault import Slot
from store.lifecycle.locked_session import lock_session
from store.lifecycle.transitions import apply
from store.runs.claims import Claim, DeadProcess, RunKey
from store.runs.fence import Fence, Replaced
from store.runs.look import Look
from tests.support.rules.blamed_runs import PastRun, blame
from tests.support.running.engine import Engine


async def test_a_claim_starts_a_queued_session(engine: Engine) -> None:
    """The claimer gets the token, epoch 1, and the session is starting."""
    session_id = await engine.new_session(token="jwt")

    [claim] = await engine.claim()

    assert (session_id, 1, Status.STARTING) == (claim.session.id, claim.epoch, claim.session.status)
    assert (claim.token.get_secret_value(), claim.resumed) == ("jwt", False)
    assert await engine.events(session_id) == ["session.starting"]
    assert "jwt" not in repr(claim)


async def test_racing_claimers_share_the_sessions(engine: Engine) -> None:
    """However many claim at once, each session gets exactly one run, and nobody more than it asked for."""
    ids = {await engine.new_session() for _ in range(12)}
    claimed: list[list[Claim]] = []

    async def claim() -> None:
        claimed.append(await engine.claim(free=3))

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(claim())
    while rest := await engine.claim(free=3):
        claimed.append(rest)

    taken = [claim.session.id for claims in claimed for claim in claims]
    assert sorted(ids) == sorted(taken)
    assert {1} == {row.epoch for row in await engine.sql("SELECT epoch FROM runs")}
    assert max(map(len, claimed)) <= 3


async def test_a_lost_session_is_taken_over_once(engine: Engine) -> None:
    """Several claimers see the same stale run: one of them gets epoch 2."""
    for _ in range(5):
        fence = await engine.running()
        await engine.pass_seconds(20)
        claimed: list[Claim] = []

        async def claim(claimed: list[Claim] = claimed) -> None:
            claimed.extend(await engine.claim())

        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(claim())

        assert [(fence.session_id, 2)] == [(claim.session.id, claim.epoch) for claim in claimed]
        assert await engine.status(fence.session_id) is Status.RUNNING
        await engine.sql("DELETE FROM sessions")


async def test_a_repeated_claim_finds_itself(engine: Engine) -> None:
    """A claim whose answer was lost is returned again, without a new epoch; a known one is not."""
    session_id = await engine.new_session()
    owner = uuid4()
    await engine.claim(owner, known=())

    [again] = await engine.claim(owner, known=())

    assert (session_id, 1) == (again.session.id, again.epoch)
    assert await engine.claim(owner, known=[session_id]) == []
    assert await engine.claim(uuid4(), known=()) == []


async def test_a_run_that_beats_is_nobody_elses(engine: Engine) -> None:
    """A fresh beat keeps the session; a stale one loses it, but only to a claimer that may judge."""
    fence = await engine.running()
    await engine.pass_seconds(10)
    assert await engine.claim() == []
    await engine.pass_seconds(10)
    assert await engine.claim(may_judge_stale=False) == []

    [claim] = await engine.claim()

    assert (fence.session_id, 2, True) == (claim.session.id, claim.epoch, claim.resumed)
    assert claim.previous_lost_at is not None
    assert (await engine.events(fence.session_id))[-1] == "session.retrying"


async def test_a_process_does_not_take_its_own_session_over(engine: Engine) -> None:
    """What the process still has is not claimed again by it, however stale."""
    fence = await engine.running()
    await engine.pass_seconds(60)

    assert await engine.claim(fence.owner, known=[fence.session_id]) == []


async def test_lost_sessions_come_before_queued_ones(engine: Engine) -> None:
    """A process with one free slot takes the session that ran."""
    fence = await engine.running()
    await engine.new_session()
    await engine.claims.release(fence.owner, lost=True)

    [claim] = await engine.claim(free=1)

    assert fence.session_id == claim.session.id


async def test_a_handed_over_run_goes_on_until_it_is_replaced(engine: Engine) -> None:
    """A released run still beats and bills; after the successor's claim it matches nothing."""
    fence = await engine.running()
    await engine.claims.release(fence.owner, lost=False)
    await engine.pass_seconds(2)
    assert fence.session_id in (await engine.beat(fence)).runs
    before = (await engine.session(fence.session_id)).usage.billable_ms
    assert before >= 2000

    successor = await engine.takeover(fence.session_id, may_judge_stale=False)
    await engine.pass_seconds(2)

    assert (await engine.beat(fence)).runs == {}
    with pytest.raises(Replaced):
        await engine.runs.mark_running(fence)
    with pytest.raises(Replaced):
        await engine.runs.enter_ending(fence, Stop.ended("end.room_closed"))
    runs = await engine.sql("SELECT epoch, lost, billable_ms FROM runs ORDER BY epoch")
    assert [(run.epoch, run.lost) for run in runs] == [(1, False), (2, False)]
    assert runs[0].billable_ms == before
    assert runs[1].billable_ms < 1000, "from the last beat to the successor's join"
    assert successor.epoch == 2


async def test_a_strangers_fence_matches_nothing(engine: Engine) -> None:
    """Session and epoch are not enough: the owner counts."""
    fence = await engine.running()
    stranger = Fence(fence.session_id, fence.epoch, uuid4())

    assert (await engine.beat(stranger)).runs == {}
    with pytest.raises(Replaced):
        await engine.runs.enter_ending(stranger, Stop.ended("end.room_closed"))


async def test_the_token_that_lives_longer_is_opened(engine: Engine) -> None:
    """A takeover joins with the refreshed token when that expires later."""
    fence = await engine.running(token="customers")
    await engine.put_token(fence.session_id, "refreshed", "refreshed", minutes=120)
    await engine.claims.release(fence.owner, lost=True)

    [claim] = await engine.claim()

    assert claim.token.get_secret_value() == "refreshed"


async def test_the_rooms_key_is_opened_whichever_token_is_newer(engine: Engine) -> None:
    """It lies beside the customer's token."""
    fence = await engine.running()
    sealed = engine.vault.seal(fence.session_id, Slot.SHARED_KEY, SecretStr("passphrase"))
    await engine.sql("UPDATE worker_tokens SET sealed_shared_key = :sealed", sealed=sealed)
    await engine.put_token(fence.session_id, "refreshed", "refreshed", minutes=120)
    await engine.claims.release(fence.owner, lost=True)

    [claim] = await engine.claim()

    assert (claim.token.get_secret_value(), claim.shared_key) == ("refreshed", SecretStr("passphrase"))


async def test_a_token_that_does_not_open_fails_its_own_session_only(engine: Engine) -> None:
    """The other sessions of the claim are not held up."""
    broken, whole = await engine.new_session(), await engine.new_session()
    await engine.sql("UPDATE worker_tokens SET sealed = '\\x00' WHERE session_id = :id", id=broken)

    claimed = await engine.claim()

    assert [whole] == [claim.session.id for claim in claimed]
    assert Status.FAILED is await engine.status(broken)


async def lose(engine: Engine, *, proven_ms: int = 0, **options: Any) -> list[Claim]:
    """Claim with a new process, prove some time, die."""
    owner = uuid4()
    claimed = await engine.claim(owner, **options)
    await engine.sql("UPDATE runs SET billable_ms = :ms WHERE owner = :owner", ms=proven_ms, owner=owner)
    await engine.claims.release(owner, lost=True)
    return claimed


async def test_a_suspect_is_for_a_process_that_was_started_for_it(engine: Engine) -> None:
    """No other process takes it, however empty; that one takes nobody else."""
    killer = await engine.new_session()
    for _ in range(2):
        assert len(await lose(engine)) == 1
    neighbor = await engine.new_session()

    assert [neighbor] == [claim.session.id for claim in await engine.claim()]
    assert [(suspect.run.session_id, suspect.alone) for suspect in await engine.claims.suspects(0)] == [(killer, False)]
    another = await engine.new_session()
    owner = uuid4()
    [claim] = await engine.claim(owner, quarantine=True)
    assert (killer, True) == (claim.session.id, claim.alone)
    assert await engine.claim(owner, known=[killer], quarantine=True) == []
    assert [another] == [claim.session.id for claim in await engine.claim()]
    assert await engine.claims.suspects(0) == []


async def test_suspects_may_share_a_process_until_it_is_lost_with_them(engine: Engine) -> None:
    """Of several, one is the killer: each is alone then."""
    suspects = {await engine.new_session() for _ in range(2)}
    for _ in range(2):
        assert len(await lose(engine)) == 2
    assert {claim.session.id for claim in await lose(engine, quarantine=True)} == suspects

    assert [suspect.alone for suspect in await engine.claims.suspects(0)] == [True, True]
    claims = [await engine.claim(quarantine=True) for _ in range(3)]

    assert [len(claimed) for claimed in claims] == [1, 1, 0]
    assert all(claim.alone for claimed in claims for claim in claimed)


async def test_losses_that_were_pardoned_make_no_suspect(engine: Engine) -> None:
    """Recorder processes that died together, three times."""
    session_id = await engine.new_session()
    for epoch in (1, 2, 3):
        await lose(engine)
        await engine.claims.bury([], [RunKey(session_id, epoch)])

    [claim] = await engine.claim()

    assert (session_id, False) == (claim.session.id, claim.alone)


async def test_nobody_sees_a_run_of_a_dead_process_of_which_it_is_not_known_who_is_to_blame(engine: Engine) -> None:
    """All that died are released and judged at once, and so is whoever has died together with them before."""
    before, together, alone, stops = [await engine.running() for _ in range(4)]
    await engine.claims.bury([DeadProcess(before.owner, lost=True)])

    found = await engine.claims.bury(
        [
            DeadProcess(together.owner, lost=True, pardoned=True),
            DeadProcess(alone.owner, lost=True),
            DeadProcess(stops.owner, lost=False),
            DeadProcess(uuid4(), lost=True),
        ],
        [RunKey(before.session_id, before.epoch)],
    )

    assert found == {fence.owner: [RunKey(fence.session_id, fence.epoch)] for fence in (together, alone, stops)}
    rows = await engine.sql("SELECT owner, lost, pardoned, released_at, xmin::text AS written_by FROM runs")
    assert {row.owner: (row.lost, row.pardoned) for row in rows} == {
        before.owner: (True, True),
        together.owner: (True, True),
        alone.owner: (True, False),
        stops.owner: (False, False),
    }
    assert all(row.released_at is not None for row in rows)
    assert len({row.written_by for row in rows}) == 1, "one transaction"


async def test_a_session_is_back_once_its_next_run_is_in_the_room(engine: Engine) -> None:
    """Or when it needs none any more."""
    fence, other = await engine.running(), await engine.running()
    both = [fence.session_id, other.session_id]
    assert await engine.claims.all_back(both)
    await engine.claims.release(fence.owner, lost=True)
    assert not await engine.claims.all_back(both)
    [claim] = await engine.claim(owner := uuid4())
    again = Fence(fence.session_id, claim.epoch, owner)
    assert not await engine.claims.all_back(both)
    await engine.runs.mark_running(again)
    assert await engine.claims.all_back(both)
    await engine.runs.enter_ending(again, Stop.ended("end.room_closed"))
    await engine.claims.release(owner, lost=True)
    assert await engine.claims.all_back(both)


async def test_lost_three_times_alone_is_a_crash_loop(engine: Engine) -> None:
    """A session that never ran fails, once it is known that nothing else died with its process."""
    killer = await engine.new_session()
    for quarantine in (False, False, True, True, True):
        assert len(await lose(engine, quarantine=quarantine)) == 1
    assert await engine.claim() == []
    assert await engine.claim(quarantine=True) == []
    assert await engine.status(killer) is Status.STARTING
    await engine.pass_seconds(2)

    assert await engine.claim() == []

    session = await engine.session(killer)
    assert (session.status, session.error_code, session.recording_state) == (Status.FAILED, "worker.crash_loop", "none")
    assert await engine.sql("SELECT 1 FROM worker_tokens") == []


async def test_a_crash_loop_after_a_recording_keeps_what_was_recorded(engine: Engine) -> None:
    """A session that ran goes to `ending`, so that its segments become a product."""
    fence = await engine.running()
    await engine.claims.release(fence.owner, lost=True)
    for quarantine in (False, True, True, True):
        assert len(await lose(engine, quarantine=quarantine)) == 1
    await engine.pass_seconds(2)

    assert await engine.claim() == []

    session = await engine.session(fence.session_id)
    assert (session.status, session.outcome, session.error_code) == (Status.ENDING, "failed", "worker.crash_loop")
    assert await engine.finalize_jobs(fence.session_id) == 1


async def test_a_stale_suspect_is_released_for_a_process_of_its_own(engine: Engine) -> None:
    """Its host is lost; whoever notices must not take it."""
    suspect = await engine.new_session()
    for _ in range(2):
        await lose(engine)
    await engine.claim(quarantine=True)
    await engine.pass_seconds(60)

    assert await engine.claim() == []

    assert [suspect] == [found.run.session_id for found in await engine.claims.suspects(0)]


@pytest.mark.parametrize("proven_ms", [60_000, 59_999])
async def test_a_long_lost_run_makes_innocent(engine: Engine, proven_ms: int) -> None:
    """A run that proved 60 s counts as none, nor do those before it."""
    await engine.new_session()
    await lose(engine)
    await lose(engine, proven_ms=proven_ms)

    claimed = await engine.claim()

    assert (proven_ms >= 60_000) == bool(claimed)


async def test_the_database_blames_as_the_rule_does(engine: Engine) -> None:
    """Whatever became of the runs before, in whatever order."""
    for past in map(past_runs, range(40)):
        session_id = await engine.new_session("starting", epoch=len(past))
        for epoch, run in enumerate(past, start=1):
            await engine.sql(
                "INSERT INTO runs (session_id, epoch, owner, host, claimed_at, beat_at, released_at, lost, pardoned,"
                " alone, billable_ms) VALUES (:id, :epoch, :owner, 'h', now(), now(), now(), :lost, :pardoned, :alone,"
                " :proven)",
                id=session_id,
                epoch=epoch,
                owner=uuid4(),
                lost=run.lost,
                pardoned=run.pardoned,
                alone=run.alone,
                proven=run.proven_ms,
            )
        await engine.pass_seconds(3)
        where = place(*blame(past))

        regular, quarantined = await engine.claim(), await engine.claim(quarantine=True)

        assert (bool(regular), bool(quarantined)) == (
            where is Place.ANYWHERE,
            where in (Place.QUARANTINE, Place.ALONE),
        ), past
        assert (await engine.status(session_id) is Status.FAILED) == (where is Place.NOWHERE)
        await engine.sql("DELETE FROM sessions")


def past_runs(seed: int) -> list[PastRun]:
    """Up to nine past runs, the same for the same seed."""
    random = Random(seed)
    values = [True, False]
    return [
        PastRun(
            lost=random.random() < 0.8,
            pardoned=random.choice(values),
            alone=random.choice(values),
            proven_ms=random.choice([0, 0, 0, 59_999, 60_000]),
        )
        for _ in range(random.randint(1, 9))
    ]


async def test_runs_lost_in_a_long_pause_are_no_crash_loop(engine: Engine) -> None:
    """They prove no time that is billed, but they beat for a minute each."""
    fence = await engine.running()
    async with engine.db.begin() as conn:
        locked = await lock_session(conn, fence.session_id)
        assert locked is not None
        await apply(conn, locked, Event.PAUSE)
    for _ in range(6):
        await engine.pass_seconds(60)
        await engine.beat(fence)
        await engine.claims.release(fence.owner, lost=True)
        owner = uuid4()
        [claim] = await engine.claim(owner)
        assert not claim.alone
        fence = Fence(fence.session_id, claim.epoch, owner)
        await engine.runs.mark_running(fence)
    assert await engine.status(fence.session_id) == "paused"


async def test_a_handover_is_no_loss(engine: Engine) -> None:
    """Deployments, however many in a row, don't make a crash loop."""
    await engine.new_session()
    for _ in range(6):
        owner = uuid4()
        [claim] = await engine.claim(owner)
        assert not claim.alone
        await engine.claims.release(owner, lost=False)


async def test_a_quick_look_finds_what_is_queued_and_what_was_just_released(engine: Engine) -> None:
    """And nothing that only reading every session would tell."""
    running = await engine.running()
    released = await engine.running()
    sealed = await engine.running()
    queued = await engine.new_session()
    await engine.claims.release(released.owner, lost=True)
    await engine.claims.release(sealed.owner, lost=False)
    await engine.runs.seal(sealed)
    await engine.sql("UPDATE runs SET beat_at = now() - interval '1 minute' WHERE owner = :owner", owner=running.owner)

    quick = await engine.claim(look=Look.QUICK)
    thorough = await engine.claim(look=Look.THOROUGH)

    assert {queued, released.session_id} == {claim.session.id for claim in quick}
    assert {running.session_id, sealed.session_id} == {claim.session.id for claim in thorough}


async def test_a_thorough_look_leaves_what_it_cannot_take_to_quick_ones(engine: Engine) -> None:
    """A host is lost with three sessions, and the process that notices has one slot: the others are released."""
    lost = [await engine.running() for _ in range(3)]
    alive = await engine.running()
    await engine.pass_seconds(60)
    await engine.beat(alive)

    first = await engine.claim(free=1, look=Look.THOROUGH)
    others = await engine.claim(look=Look.QUICK)

    assert len(first) == 1
    assert {fence.session_id for fence in lost} == {claim.session.id for claim in [*first, *others]}
    assert engine.claims.active == 4


async def test_a_thorough_look_that_may_not_judge_releases_nobody(engine: Engine) -> None:
    """After an outage of the database everybody looks stale."""
    stale = [await engine.running() for _ in range(2)]
    await engine.new_session()
    await engine.pass_seconds(60)

    await engine.claim(free=1, may_judge_stale=False)

    assert await engine.sql("SELECT 1 FROM runs WHERE released_at IS NOT NULL") == []
    assert len(stale) == 2
