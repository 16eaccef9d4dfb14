"""Light stacks say what the standard library's say."""

import asyncio
import sys
import traceback
from typing import Any

import pytest

from tests.support.test_run.light_stacks import LightSummary

LIBRARYS: type[traceback.StackSummary] = LightSummary.__mro__[1]


@pytest.mark.parametrize("limit", [None, 0, 1, 3, -2])
def test_the_same_frames_with_the_same_lines(limit: int | None) -> None:
    """However many are asked for, from either end."""
    frame = sys._getframe()

    light, full = (kind.extract(traceback.walk_stack(frame), limit=limit) for kind in (LightSummary, LIBRARYS))

    assert light == full
    assert light.format() == full.format()


async def test_debug_mode_notes_lightly() -> None:
    """A callback's origin and a future's, which are this test."""
    loop = asyncio.get_running_loop()
    assert loop.get_debug()

    noted: tuple[Any, ...] = (loop.call_soon(int), loop.create_future())
    for one in noted:
        stack = one._source_traceback
        assert type(stack) is LightSummary
        [here] = [frame for frame in stack if frame.name == test_debug_mode_notes_lightly.__name__]
        assert here.line == "noted: tuple[Any, ...] = (loop.call_soon(int), loop.create_future())"


async def test_a_canceled_timer_says_what_it_was_and_where_from() -> None:
    """Its arguments are let go."""
    loop = asyncio.get_running_loop()
    timer: Any = loop.call_at(loop.time() + 60, pytest.approx, object())

    timer.cancel()

    assert timer.cancelled()
    assert timer._callback is timer._args is None
    origin = timer._source_traceback[-1]
    where = f"{origin.filename}:{origin.lineno}"
    assert repr(timer) == f"<TimerHandle cancelled approx() created at {where}>"
