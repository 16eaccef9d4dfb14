"""Who comes and leaves, as events: so many at most, each once, under the fence."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sessions.lifecycle.stop import Stop
from store.database.clock import ClockPair
from store.runs.fence import Fence, Replaced
from store.runs.participant_events import Move, Participant, ParticipantEvents
from tests.support.running.engine import Engine

ANN = Participant("PA_ann", "ann", "Ann", "standard")


async def told(engine: Engine, fence: Fence) -> list[tuple[str, str, bool]]:
    """Type, stay, and whether it was the last, of each."""
    rows = await engine.sql(
        "SELECT type, data FROM session_events WHERE session_id = :id AND type LIKE 'participant.%' ORDER BY seq",
        id=fence.session_id,
    )
    return [(row.type, row.data["participant_sid"], row.data["limit_reached"]) for row in rows]


def moves(pair: ClockPair, *of: tuple[Participant, bool]) -> list[Move]:
    """One a millisecond."""
    return [Move(who, joined, pair.db_time + timedelta(milliseconds=n)) for n, (who, joined) in enumerate(of)]


async def test_a_repetition_and_a_successor_tell_nothing_twice(engine: Engine) -> None:
    """Not those who are there, nor what was written before; who left and came back is told again."""
    fence, events = await engine.running(), ParticipantEvents(engine.db, 100)
    first = moves(await engine.db.clock(), (ANN, True), (ANN, False), (ANN, True))
    for _ in range(2):
        assert await events.tell(fence, first)
    assert await events.there(fence.session_id) == [ANN]

    await engine.claims.release(fence.owner, lost=True)
    successor = await engine.takeover(fence.session_id)
    assert await events.tell(successor, moves(await engine.db.clock(), (ANN, True)))
    with pytest.raises(Replaced):
        await events.tell(fence, first)
    types = [type_ for type_, _, _ in await told(engine, fence)]
    assert types == ["participant.joined", "participant.left", "participant.joined"]


async def test_a_session_has_so_many_and_no_more(engine: Engine) -> None:
    """The last one says so; a full room of thousands costs no more than that."""
    fence, events = await engine.running(), ParticipantEvents(engine.db, 3)
    crowd = [(replace(ANN, sid=f"PA_{n}"), True) for n in range(10)]
    assert not await events.tell(fence, moves(await engine.db.clock(), *crowd))
    assert not await events.tell(fence, moves(await engine.db.clock(), (ANN, True)))
    expected = [("participant.joined", f"PA_{n}", n == 2) for n in range(3)]
    assert expected == await told(engine, fence)


async def test_nothing_follows_the_session_s_end(engine: Engine) -> None:
    """A stream of the session has ended there."""
    fence, events = await engine.running(), ParticipantEvents(engine.db, 3)
    await engine.runs.enter_ending(fence, Stop.ended("end.room_closed"))
    assert await events.tell(fence, moves(await engine.db.clock(), (ANN, True)))
    await engine.freezes.commit_without_product(fence.session_id, fence.epoch)
    assert not await events.tell(fence, moves(await engine.db.clock(), (ANN, False)))
    assert [type_ for type_, _, _ in await told(engine, fence)] == ["participant.joined"]
