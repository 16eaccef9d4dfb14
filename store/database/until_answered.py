"""Asking a database that may be away until it answers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sessions.errors import DatabaseUnavailableError

_Answer = TypeVar("_Answer")

RETRY_SECONDS = 1.0


async def until_answered(ask: Callable[[], Awaitable[_Answer]], *, most_attempts: int | None = None) -> _Answer:
    """What `ask` returns; while the database is away it is asked again every second.

    Without `most_attempts` this has no bound of its own. Each caller says what ends its wait: cancellation, a timeout
    around it, or an `ask` that raises something else once the answer is not wanted any more. An answer may be lost on
    its way back, so `ask` has to be safe to repeat.

    Raises:
        DatabaseUnavailableError: the last of `most_attempts` had no answer either.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            return await ask()
        except DatabaseUnavailableError:
            if attempt == most_attempts:
                raise
        await asyncio.sleep(RETRY_SECONDS)
