"""Joins that take over come one after the other."""

import asyncio

from worker.joining.join_turns import JoinTurns


async def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    """The next one begins when the one before is passed on, and a second time changes nothing."""
    turns, taken = JoinTurns(longest_seconds=60), list[int]()

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


async def test_a_turn_that_nobody_passes_on_is_over_by_itself() -> None:
    """A room that does not answer keeps nobody else from theirs for long."""
    turns = JoinTurns(longest_seconds=0.01)
    await turns.take()

    async with asyncio.timeout(5):
        await turns.take()


async def test_whoever_stops_waiting_takes_no_turn() -> None:
    """Canceled while it waits, it leaves the turn to the next one."""
    turns = JoinTurns(longest_seconds=60)
    first = await turns.take()
    waiting = asyncio.ensure_future(turns.take())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    first.pass_on()

    async with asyncio.timeout(5):
        await turns.take()
