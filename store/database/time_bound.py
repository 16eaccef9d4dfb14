"""How long the database may keep one asker waiting, in all its transactions together.

A bound counts the time inside transactions only: a client that sends its body slowly, or an object storage that takes
its time, uses up none of it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class _TimeBound:
    seconds_left: float


_BOUND: ContextVar[_TimeBound | None] = ContextVar("database_time_bound", default=None)


@contextmanager
def database_time_bound(seconds: float) -> Iterator[None]:
    """All transactions of this block, and of the tasks it starts, may take `seconds` together.

    A block within another has its own bound: for who waits on purpose, and then asks again.
    """
    token = _BOUND.set(_TimeBound(seconds))
    try:
        yield
    finally:
        _BOUND.reset(token)


def seconds_left(most: float) -> float:
    """Seconds that a transaction may take now: `most`, or what is left of the bound. Zero or less: none."""
    bound = _BOUND.get()
    return most if bound is None else min(most, bound.seconds_left)


@contextmanager
def counted() -> Iterator[None]:
    """The block's duration is taken off the bound, if there is one."""
    bound, loop = _BOUND.get(), asyncio.get_running_loop()
    began = loop.time()
    try:
        yield
    finally:
        if bound is not None:
            bound.seconds_left -= loop.time() - began
