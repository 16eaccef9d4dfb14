"""When a process that runs on demand ends by itself."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sessions.errors import DatabaseUnavailableError
from worker.vitals.activity import Activity

pytestmark = pytest.mark.looptime  # the loop's time jumps
AFTER_SECONDS = 60.0


async def never() -> bool:
    """Nothing to do."""
    return False


async def ended_within(activity: Activity, seconds: float, is_wanted: Callable[[], Awaitable[bool]] = never) -> bool:
    """Whether a process that has just begun ends in that time."""
    stopping = asyncio.Event()
    try:
        async with asyncio.timeout(seconds):
            await activity.end_when_idle(stopping, is_wanted, after_seconds=AFTER_SECONDS)
    except TimeoutError:
        assert not stopping.is_set()
        return False
    return stopping.is_set()


async def test_it_ends_after_the_time_of_idleness_and_not_before() -> None:
    """What was over a moment ago counts."""
    activity = Activity()
    assert not await ended_within(activity, 59)
    with activity.busy():
        pass
    assert not await ended_within(activity, 59)
    assert await ended_within(activity, 70)


async def test_it_stays_while_something_is_under_way() -> None:
    """One job of two is enough."""
    activity = Activity()
    with activity.busy():
        with activity.busy():
            pass
        assert not await ended_within(activity, 300)
    assert await ended_within(activity, 70)


@pytest.mark.parametrize("answer", [True, DatabaseUnavailableError("away")])
async def test_it_stays_while_it_is_wanted_or_nobody_knows(answer: bool | DatabaseUnavailableError) -> None:
    """A job that waits for another one's lock; a database that is away."""

    async def is_wanted() -> bool:
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert not await ended_within(Activity(), 300, is_wanted)


async def test_it_stops_looking_when_it_is_told_to_stop() -> None:
    """Nothing is left running."""
    stopping = asyncio.Event()
    stopping.set()
    async with asyncio.timeout(1):
        await Activity().end_when_idle(stopping, never, after_seconds=1000)
