"""Joins that take over come one after the other. In virtual time."""

import asyncio

import pytest

from worker.joining.join_turns import JoinTurns


async def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    """The next one begins when the one before is passed on, and a second time changes nothing."""
    turns, taken = JoinTurns(), list[int]()

    async def join(number: int) -> None:
        turn = await turns.take()
        taken.append(number)
        await asyncio.sleep(0)
        assert taken[-1] == number, "another one has begun meanwhile"
        turn.pass_on()
        turn.pass_on()

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(join(number))

    assert taken == [0, 1, 2, 3, 4]


async def _begin_when_none_answers(turns: JoinTurns, count: int) -> list[float]:
    """When each of so many turns begins that nobody passes on, in seconds since all were asked for."""
    loop = asyncio.get_running_loop()
    asked_at, begun = loop.time(), list[float]()

    async def join() -> None:
        await turns.take()
        begun.append(round(loop.time() - asked_at, 3))

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(join())
    return begun


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("count", "begun"),
    [
        (3, [0, 4, 8]),
        (8, [0, 4, 8, 12, 16, 20, 23, 24]),
        (25, [0, *range(1, 25)]),
        (30, [*range(30)]),
    ],
)
async def test_a_turn_that_nobody_passes_on_is_over_by_itself(count: int, begun: list[float]) -> None:
    """A slow join is waited for, as long as all the others still have their turns within 25 s, or a second each."""
    assert await _begin_when_none_answers(JoinTurns(), count) == begun


@pytest.mark.looptime
async def test_the_next_join_comes_a_quarter_of_a_second_after_a_room_is_heard() -> None:
    """However often that is said, and whoever asks for a turn meanwhile."""
    turns, begun = JoinTurns(), list[float]()
    loop = asyncio.get_running_loop()
    asked_at = loop.time()

    async def join() -> None:
        turn = await turns.take()
        begun.append(round(loop.time() - asked_at, 3))
        await asyncio.sleep(0.1)
        turn.heard()
        turn.heard()

    async with asyncio.TaskGroup() as group:
        group.create_task(join())
        await asyncio.sleep(0.2)
        group.create_task(join())
        group.create_task(join())

    assert begun == [0, 0.35, 0.7]


@pytest.mark.looptime
async def test_what_was_waited_for_once_is_forgotten_later() -> None:
    """The next hand-over has all its time again."""
    turns = JoinTurns()
    await _begin_when_none_answers(turns, 8)
    await asyncio.sleep(60)
    assert await _begin_when_none_answers(turns, 2) == [0, 4]


@pytest.mark.looptime
async def test_whoever_stops_waiting_takes_no_turn() -> None:
    """Canceled while it waits, it leaves the turn to the next one, and nobody waits less because of it."""
    turns = JoinTurns()
    first = await turns.take()
    waiting = [asyncio.ensure_future(turns.take()) for _ in range(30)]
    await asyncio.sleep(0)
    for one in waiting:
        one.cancel()
    await asyncio.wait(waiting)
    first.pass_on()

    assert await _begin_when_none_answers(turns, 2) == [0, 4]
