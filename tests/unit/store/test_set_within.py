"""An event, or so long: in virtual time."""

import asyncio

import looptime
import pytest

from store.set_within import set_within


async def set_after(event: asyncio.Event, seconds: float) -> None:
    """Set an event later."""
    await asyncio.sleep(seconds)
    event.set()


@pytest.mark.looptime
async def test_an_event_in_time_ends_the_wait(looptime: looptime.LoopTimeProxy) -> None:
    """It is not waited for longer than it takes."""
    event = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(set_after(event, 3))
        assert await set_within(event, 5)
        assert looptime == 3


@pytest.mark.looptime
async def test_without_an_event_the_wait_ends_when_the_time_is_over(looptime: looptime.LoopTimeProxy) -> None:
    """Nothing is raised."""
    assert not await set_within(asyncio.Event(), 5)
    assert looptime == 5


@pytest.mark.looptime
async def test_an_event_that_is_set_already_is_not_waited_for(looptime: looptime.LoopTimeProxy) -> None:
    """Not even with no time at all."""
    event = asyncio.Event()
    event.set()
    assert await set_within(event, 0)
    assert looptime == 0


@pytest.mark.looptime
async def test_without_a_bound_it_is_waited_for_an_hour(looptime: looptime.LoopTimeProxy) -> None:
    """None means for ever."""
    event = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(set_after(event, 3600))
        assert await set_within(event, None)
        assert looptime == 3600
