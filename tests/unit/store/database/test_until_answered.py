"""Again until the database answers: in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable

import looptime
import pytest

from sessions.errors import DatabaseUnavailableError
from store.database.until_answered import RETRY_SECONDS, until_answered


def away(times: int, asked: list[float], last: BaseException | str = "answer") -> Callable[[], Awaitable[str]]:
    """Asks a database that is away so many times, and then answers `last`, or raises it."""

    async def ask() -> str:
        asked.append(asyncio.get_running_loop().time())
        if len(asked) <= times:
            raise DatabaseUnavailableError
        if isinstance(last, BaseException):
            raise last
        return last

    return ask


@pytest.mark.looptime
async def test_the_answer_of_a_database_that_is_there_comes_at_once(looptime: looptime.LoopTimeProxy) -> None:
    """Asked once."""
    asked: list[float] = []
    assert (await until_answered(away(0, asked)), asked) == ("answer", [0])


@pytest.mark.looptime
async def test_a_database_that_is_away_is_asked_again_every_second() -> None:
    """However long: a minute here."""
    asked: list[float] = []
    assert await until_answered(away(60, asked)) == "answer"
    assert asked == [number * RETRY_SECONDS for number in range(61)]


@pytest.mark.looptime
async def test_after_the_last_attempt_the_error_comes_out_without_a_pause(looptime: looptime.LoopTimeProxy) -> None:
    """Three attempts, two pauses."""
    asked: list[float] = []
    with pytest.raises(DatabaseUnavailableError):
        await until_answered(away(60, asked), most_attempts=3)
    assert len(asked) == 3
    assert looptime == 2 * RETRY_SECONDS


@pytest.mark.looptime
async def test_any_other_error_ends_the_wait() -> None:
    """That is how an ask says that nobody wants the answer any more."""
    asked: list[float] = []
    with pytest.raises(LookupError):
        async with asyncio.timeout(60):
            await until_answered(away(2, asked, LookupError()))
    assert len(asked) == 3


@pytest.mark.looptime
async def test_a_timeout_around_it_ends_the_wait(looptime: looptime.LoopTimeProxy) -> None:
    """In the middle of a pause, too."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(9.5):
            await until_answered(away(60, []))
    assert looptime == 9.5
