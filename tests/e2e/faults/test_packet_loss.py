"""Packets are lost on the way to the worker for fractions of a second: what that tears is named, and nothing else."""

import asyncio
from pathlib import Path

import pytest

from tests.e2e.faults.test_outages import ann, own_stack
from tests.support.network.media_relay import LiteServer, MediaRelay
from tests.support.rules.never_silently_wrong import assert_never_silently_wrong

# Of 100 ms the sender's second copies of its packets make good for most.
LOSSES_MS = (60, 80, 100, 150, 200, 300, 400)


@pytest.mark.parametrize("times", [1, pytest.param(8, marks=pytest.mark.long)])
async def test_what_short_losses_tear_is_named(
    tmp_path: Path, database_url: str, livekit_binary: Path, room: str, times: int
) -> None:
    """Also across two readings of what was made up; it is the network's fault, so it is given back."""
    with LiteServer(livekit_binary, tmp_path / "livekit") as server:
        async with (
            MediaRelay(server) as relay,
            own_stack(tmp_path, database_url, server) as stack,
            ann(server, room) as talker,
        ):
            session = await stack.create(room, transport={"url": relay.url})
            await stack.reach(session["id"], "running")
            await asyncio.sleep(3)
            for loss_ms in LOSSES_MS * times:
                relay.dropping = True
                await asyncio.sleep(loss_ms / 1000)
                relay.dropping = False
                await asyncio.sleep(1.7 + relay.relayed % 7 / 20)
            ended = await stack.end(session["id"])
            truths = await assert_never_silently_wrong(stack, session["id"], [talker], tmp_path)
            _, recording = await stack.call("GET", f"/v1/sessions/{session['id']}/recording")

    truth, gaps = truths["ann"], recording["gaps"]
    assert truth.undeclared == []
    assert truth.lost >= 6 * times, "something was torn"
    assert truth.heard >= 80 * times
    assert {gap["code"] for gap in gaps} == {"gap.concealed"}
    assert sum(gap["end_ms"] - gap["start_ms"] for gap in gaps) <= 3500 * times
    assert ended["usage"]["credited_ms"] > 0
