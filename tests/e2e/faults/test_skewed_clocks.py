"""Hosts whose clocks are wrong: PostgreSQL's is the only one that counts."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.rules.holes import holes
from tests.support.rules.never_silently_wrong import assert_never_silently_wrong
from tests.support.running.stack import Stack, eventually
from tests.support.running.wrong_clock import wrong_by
from tests.support.talkers.slots import SlotTalker

HOUR_SECONDS = 3600


@pytest.mark.long
@pytest.mark.parametrize("first_off_by", [HOUR_SECONDS, -HOUR_SECONDS])
async def test_clocks_that_are_wrong_by_an_hour_change_nothing_in_a_takeover(
    stack: Stack,
    room: str,
    speaker: Callable[..., SlotTalker],
    tmp_path: Path,
    first_off_by: int,
) -> None:
    """A host dies, another one takes over, and their clocks are two hours apart."""
    await stack.start_api()
    first = await stack.start_worker("first", PARLEY_SPEECH_ENGINE="none", **wrong_by(first_off_by, tmp_path))
    async with speaker("ann", 0) as ann:
        session = await stack.create(room)
        await stack.reach(session["id"], "running")
        await stack.start_worker("second", PARLEY_SPEECH_ENGINE="none", **wrong_by(-first_off_by, tmp_path))
        await asyncio.sleep(4)
        first.kill_with_children()

        async def taken() -> bool:
            now = await stack.get(session["id"])
            return bool(now["epoch"] == 2 and now["status"] == "running")

        await eventually(taken, seconds=20, what="the second worker took it")
        await asyncio.sleep(6)
        ended = await stack.end(session["id"])

    assert (ended["status"], ended["epoch"]) == ("ended", 2)
    truths = await assert_never_silently_wrong(stack, session["id"], [ann], tmp_path)
    _, recording = await stack.call("GET", f"/v1/sessions/{session['id']}/recording")
    assert {gap["code"] for gap in holes(recording["gaps"])} == {"gap.worker_lost"}
    assert truths["ann"].heard > 40
