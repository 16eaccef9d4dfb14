"""Beats: what they prove, what they bill, what they bring back."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions.lifecycle.lifecycle import Event, Status
from sessions.lifecycle.stop import Stop
from store.lifecycle.locked_session import lock_session
from store.lifecycle.transitions import apply
from store.runs.beat_writing import Beat
from store.runs.fence import Fence
from tests.support.rules.proven_time import proven_ms
from tests.support.running.engine import STALLED_SECONDS, Engine

SECOND = timedelta(seconds=1)


async def billed(engine: Engine) -> int:
    return int((await engine.sql("SELECT sum(billable_ms)::bigint AS ms FROM runs"))[0].ms)


async def test_a_beat_brings_back_what_became_of_the_session(engine: Engine) -> None:
    """Status and stamps come with the answer; frames and audio are counters of the run."""
    fence = await engine.running()
    now = datetime.now(UTC)

    answer = await engine.runs.beat(fence.owner, [Beat(fence.session_id, 1, True, 7, 70, -6.0, now)], STALLED_SECONDS)

    state = answer.runs[fence.session_id]
    session = await engine.session(fence.session_id)
    assert (1, Status.RUNNING, session.started_at) == (state.epoch, state.status, state.started_at)
    assert (7, 70, answer.now) == (session.usage.frames, session.usage.audio_ms_received, session.usage.as_of)
    assert now == session.first_frame_at


async def test_counters_never_shrink(engine: Engine) -> None:
    """A repeated, older beat takes nothing back."""
    fence = await engine.running()
    await engine.beat(fence, frames=9, audio_ms=90)
    await engine.beat(fence, frames=3, audio_ms=30)

    usage = (await engine.session(fence.session_id)).usage
    assert (usage.frames, usage.audio_ms_received) == (9, 90)


async def test_all_sessions_of_a_process_beat_in_one_statement(engine: Engine) -> None:
    """A session that was replaced is missing from the answer, the others are there."""
    ids = [await engine.new_session() for _ in range(3)]
    owner = uuid4()
    await engine.claim(owner)
    await engine.sql("UPDATE sessions SET epoch = epoch + 1 WHERE id = :id", id=ids[1])

    beats = [Beat(session_id, 1, False, 0, 0, None, None) for session_id in ids]
    answer = await engine.runs.beat(owner, beats, STALLED_SECONDS)

    assert {ids[0], ids[2]} == set(answer.runs)


async def test_without_sessions_a_beat_still_tells_the_time(engine: Engine) -> None:
    """A process without sessions learns that the database is there."""
    fence = await engine.running()

    assert (await engine.runs.beat(fence.owner, [], STALLED_SECONDS)).now.tzinfo is not None


async def test_a_beat_that_the_join_has_overtaken_costs_nothing_of_it(engine: Engine) -> None:
    """It was made before and is written after: the time is billed from the join on all the same."""
    fence = await engine.running()
    overtaken = Beat(fence.session_id, fence.epoch, False, 0, 0, None, None)
    await engine.runs.beat(fence.owner, [overtaken], STALLED_SECONDS)
    await engine.pass_seconds(4)

    answer = await engine.beat(fence)

    started_at = (await engine.session(fence.session_id)).started_at
    assert started_at is not None
    assert (answer.now - started_at) // timedelta(milliseconds=1) == await billed(engine)


async def test_time_out_of_the_room_is_free(engine: Engine) -> None:
    """A beat that has lost the room bills nothing, nor does the first one after it."""
    fence = await engine.running()
    await engine.beat(fence, joined=False)
    before = await billed(engine)
    await engine.pass_seconds(4)
    back = await engine.beat(fence, joined=True)
    assert before == await billed(engine)

    await engine.pass_seconds(3)
    later = await engine.beat(fence, joined=True)

    assert (later.now - back.now) // timedelta(milliseconds=1) + 3000 == await billed(engine) - before


async def test_remainders_below_a_millisecond_add_up(engine: Engine) -> None:
    """Beats of 0.7 ms, many of them, lose nothing."""
    fence = await engine.running()
    await engine.beat(fence)
    await engine.sql("UPDATE runs SET billable_ms = 0, billed_at = clock_timestamp()")
    [start] = await engine.sql("SELECT billed_at FROM runs")
    for _ in range(60):
        answer = await engine.beat(fence)

    assert (answer.now - start.billed_at) // timedelta(milliseconds=1) == await billed(engine)


def microseconds(from_seconds: int, to_seconds: int) -> st.SearchStrategy[int]:
    """Whole seconds and parts of one: hypothesis hardly ever takes a large number when a small one will do."""
    return st.builds(
        lambda seconds, part: seconds * 1_000_000 + part, st.integers(from_seconds, to_seconds), st.integers(0, 999_999)
    )


stamps = st.none() | microseconds(-40, 4)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    previous_us=microseconds(-40, 0),
    since_us=stamps,
    paused_us=stamps,
    ending_us=stamps,
    started_us=st.none() | microseconds(-90, -1),
    longest_seconds=st.integers(1, 90),
    status=st.sampled_from(["running", "paused", "ending"]),
)
async def test_sql_and_model_agree(
    engine: Engine,
    previous_us: int,
    since_us: int | None,
    paused_us: int | None,
    ending_us: int | None,
    started_us: int | None,
    longest_seconds: int,
    status: str,
) -> None:
    """Whatever the stamps, a beat adds what `proven_ms` says."""
    if not await engine.sql("SELECT 1 FROM sessions"):
        await engine.running()
    if status == "ending" and ending_us is None:
        ending_us = 0
    [run] = await engine.sql("SELECT session_id, epoch, owner FROM runs")
    [base] = await engine.sql("SELECT clock_timestamp() AS now")

    def stamp(us: int | None) -> datetime | None:
        return None if us is None else base.now + timedelta(microseconds=us)

    await engine.sql(
        "UPDATE sessions SET status = :status, running_since = :since, paused_at = :paused, ending_at = :ending,"
        " started_at = :started, max_duration_seconds = :longest, outcome = 'ended'",
        status=status,
        started=stamp(started_us),
        longest=longest_seconds,
        since=stamp(since_us),
        paused=stamp(paused_us),
        ending=stamp(ending_us),
    )
    previous = base.now + timedelta(microseconds=previous_us)
    await engine.sql("UPDATE runs SET billed_at = :previous, billable_ms = 0", previous=previous)

    beat = Beat(run.session_id, run.epoch, True, 0, 0, None, None)
    answer = await engine.runs.beat(run.owner, [beat], STALLED_SECONDS)

    expected = proven_ms(
        now=answer.now,
        previous_beat=previous,
        running_since=stamp(since_us),
        paused_at=stamp(paused_us),
        ending_at=stamp(ending_us),
        started_at=stamp(started_us),
        max_duration_seconds=longest_seconds,
        stalled_seconds=STALLED_SECONDS,
    )
    assert expected == await billed(engine)


async def test_the_beat_after_an_end_bills_up_to_the_stamp_and_no_further(engine: Engine) -> None:
    """Whenever the worker learns of the end, the bill stops at `ending_at`."""
    fence = await engine.running()
    await engine.pass_seconds(5)
    session = await engine.runs.enter_ending(fence, Stop.ended("end.room_closed"))
    await engine.pass_seconds(4)
    await engine.beat(fence)
    await engine.pass_seconds(4)
    await engine.beat(fence)

    assert session.ending_at is not None
    assert session.running_since is not None
    assert (session.ending_at - session.running_since) // timedelta(milliseconds=1) == await billed(engine)


async def test_a_sealed_run_bills_nothing_more(engine: Engine) -> None:
    """What was sealed has its counters, whatever is still beaten."""
    fence = await engine.running()
    await engine.runs.seal(fence)
    await engine.pass_seconds(5)
    await engine.beat(fence, frames=5, audio_ms=50)

    usage = (await engine.session(fence.session_id)).usage
    assert (usage.billable_ms, usage.frames, usage.audio_ms_received) == (0, 0, 0)


async def test_after_a_takeover_the_time_between_is_free(engine: Engine) -> None:
    """Only what runs proved is on the bill: 5 s before, 3 s after, not the 20 s in between."""
    first = await engine.running()
    await engine.pass_seconds(5)
    await engine.beat(first)
    await engine.pass_seconds(20)
    second = await engine.takeover(first.session_id)
    await engine.pass_seconds(3)
    await engine.beat(second)

    assert 8000 <= await billed(engine) < 9000
    session = await engine.session(first.session_id)
    assert await engine.events(first.session_id) == [
        "session.starting",
        "session.running",
        "session.retrying",
        "session.running",
    ]
    assert session.started_at is not None
    assert session.usage.as_of is not None
    assert session.usage.as_of - session.started_at > 27 * SECOND


async def test_a_beat_waits_for_nobody_who_holds_the_session(engine: Engine) -> None:
    """Beats read the session's row and lock only their run."""
    fence = await engine.running()
    async with engine.db.begin() as conn:
        await conn.exec_driver_sql("SELECT 1 FROM sessions FOR UPDATE")

        assert fence.session_id in (await engine.beat(fence)).runs


async def test_marking_running_twice_changes_nothing(engine: Engine) -> None:
    """`started_at` is set once, the event written once."""
    fence = await engine.running()
    before = await engine.session(fence.session_id)

    assert before == await engine.runs.mark_running(fence)
    assert await engine.events(fence.session_id) == ["session.starting", "session.running"]


async def test_marking_running_what_was_canceled_follows_the_cancel(engine: Engine) -> None:
    """A join that lands after the cancel finds the session as it is."""
    session_id = await engine.new_session()
    owner = uuid4()
    [claim] = await engine.claim(owner)
    run = Fence(session_id, claim.epoch, owner)
    await engine.runs.enter_ending(run, Stop.canceled("cancel.requested"))

    assert Status.CANCELED is (await engine.runs.mark_running(run)).status


@pytest.mark.parametrize("outcome", ["ended", "failed", "canceled"])
async def test_a_stop_the_worker_finds_is_fixed_once(engine: Engine, outcome: str) -> None:
    """The first outcome stays, the tokens go, the finalize job waits."""
    fence = await engine.running()
    code = {"ended": "end.room_closed", "failed": "room.unreachable", "canceled": "cancel.requested"}[outcome]
    await engine.runs.enter_ending(fence, Stop(outcome, code))  # type: ignore[arg-type]
    await engine.runs.enter_ending(fence, Stop.failed("internal"))

    session = await engine.session(fence.session_id)
    assert (Status.ENDING, outcome, code) == (session.status, session.outcome, session.end_reason)
    assert await engine.sql("SELECT 1 FROM worker_tokens") == []
    assert await engine.finalize_jobs(fence.session_id) == 1


async def handed_over(engine: Engine, *, lost: bool = False) -> tuple[Fence, Fence]:
    """A run that has proven a second and is two seconds older, and the one that has claimed its session."""
    before = await engine.running()
    await engine.pass_seconds(1)
    await engine.beat(before)
    await engine.claims.release(before.owner, lost=lost)
    await engine.pass_seconds(2)
    owner = uuid4()
    [claim] = await engine.claim(owner)
    assert claim.handed_over is not lost
    return before, Fence(before.session_id, claim.epoch, owner)


async def test_what_a_leaving_worker_records_until_it_is_evicted_is_billed(engine: Engine) -> None:
    """Its last beat is two seconds old; it records until the join, which its own seal may overtake."""
    before, after = await handed_over(engine)
    joined_at = datetime.now(UTC)
    await engine.runs.seal(before)
    await engine.runs.mark_running(after, joined_at)
    await engine.beat(after)

    assert 3000 <= await billed(engine) < 4500


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(waits=st.lists(st.floats(0, 3 * STALLED_SECONDS), min_size=1, max_size=4), pauses=st.booleans())
async def test_hand_overs_bill_all_that_was_recorded_however_long_they_take(
    engine: Engine, waits: list[float], pauses: bool
) -> None:
    """A claim waits for its turn to join, while the worker before goes on recording; a pause is free all the same."""
    fence = await engine.running()
    recorded = 0.0
    for waited in waits:
        await engine.pass_seconds(2)
        await engine.beat(fence)
        await engine.claims.release(fence.owner, lost=False)
        owner = uuid4()
        [claim] = [one for one in await engine.claim(owner) if one.session.id == fence.session_id]
        await engine.pass_seconds(waited)
        if pauses:
            await _move(engine, fence, Event.PAUSE)
            await engine.pass_seconds(7)
        fence = Fence(fence.session_id, claim.epoch, owner)
        await engine.runs.mark_running(fence, datetime.now(UTC))
        if pauses:
            await _move(engine, fence, Event.RESUME)
        await engine.beat(fence)
        recorded += 2 + waited

    total = await billed(engine)
    await engine.sql("DELETE FROM sessions")
    assert recorded * 1000 - len(waits) <= total < (recorded + 2) * 1000


async def _move(engine: Engine, fence: Fence, event: Event) -> None:
    async with engine.db.begin() as conn:
        locked = await lock_session(conn, fence.session_id)
        assert locked is not None
        await apply(conn, locked, event)


async def test_what_a_lost_worker_did_not_prove_stays_free(engine: Engine) -> None:
    """Nobody recorded between its last beat and the join."""
    _, after = await handed_over(engine, lost=True)
    await engine.runs.mark_running(after, datetime.now(UTC))
    await engine.beat(after)

    assert 1000 <= await billed(engine) < 2500


async def test_a_worker_that_had_sealed_before_the_claim_recorded_no_longer(engine: Engine) -> None:
    """It gave up waiting for a successor; the one that comes later begins its own bill."""
    before = await engine.running()
    await engine.pass_seconds(1)
    await engine.beat(before)
    await engine.claims.release(before.owner, lost=False)
    await engine.runs.seal(before)
    await engine.pass_seconds(2)
    owner = uuid4()
    [claim] = await engine.claim(owner)
    assert not claim.handed_over

    after = Fence(before.session_id, claim.epoch, owner)
    await engine.runs.mark_running(after, datetime.now(UTC))
    await engine.beat(after)

    assert 1000 <= await billed(engine) < 2500


async def test_beats_that_overtake_the_join_bill_nothing_twice(engine: Engine) -> None:
    """A run is in its room before the database knows; its bill begins with what is written then."""
    _, after = await handed_over(engine)
    joined_at = datetime.now(UTC)
    for _ in range(2):
        await engine.beat(after)
        await engine.pass_seconds(1)
    await engine.runs.mark_running(after, joined_at - 2 * SECOND)
    await engine.beat(after)

    assert 5000 <= await billed(engine) < 6500


async def test_a_join_before_the_end_counts_though_the_end_was_faster(engine: Engine) -> None:
    """What was recorded between them is billed, up to the end."""
    _, after = await handed_over(engine)
    joined_at = datetime.now(UTC)
    await engine.sql("SELECT pg_sleep(0.05)")
    await engine.runs.enter_ending(after, Stop.ended("end.requested"))

    session = await engine.runs.mark_running(after, joined_at)
    await engine.beat(after)

    assert session.status is Status.ENDING
    [run] = await engine.sql("SELECT joined_at FROM runs WHERE epoch = :epoch", epoch=after.epoch)
    assert run.joined_at == joined_at
    assert 3000 <= await billed(engine) < 4500
