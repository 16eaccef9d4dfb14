"""A customer's LiveKit server that is far away: what is said until the worker hears it is named."""

import asyncio
from pathlib import Path

import pytest

from tests.e2e.faults.test_outages import ann, bob, own_stack, true_gaps
from tests.support.network.far_relay import FarRelay
from tests.support.network.media_relay import LiteServer
from tests.support.rules.holes import holes
from tests.support.rules.never_silently_wrong import Evidence


@pytest.mark.parametrize("seconds", [0.15, 0.4])
async def test_what_a_newcomer_says_until_a_far_server_delivers_it_is_named(
    tmp_path: Path, database_url: str, livekit_binary: Path, room: str, seconds: float
) -> None:
    """Bob comes while the session runs; ann was there before. Messages take so long each way."""
    with LiteServer(livekit_binary, tmp_path / "livekit") as server:
        async with FarRelay(server, seconds) as relay, own_stack(tmp_path, database_url, server) as stack:
            async with ann(server, room) as early:
                session = await stack.create(room, idle_timeout_seconds=60, transport={"url": relay.url})
                await stack.reach(session["id"], "running")
                await asyncio.sleep(3)
                async with bob(server, room) as late:
                    await asyncio.sleep(5)
                    await stack.end(session["id"])
            gaps = await true_gaps(stack, session["id"], [early, late], tmp_path)

    [gap] = [gap for gap in gaps if gap.get("identity") == "bob"]
    assert gap["code"] == "gap.subscribing"
    assert 3_500 * seconds <= gap["end_ms"] - gap["start_ms"] <= 4_500 * seconds + 1_000


@pytest.mark.long
async def test_a_subscription_that_takes_long_is_no_refusal_that_somebody_pays_for(
    tmp_path: Path, database_url: str, livekit_binary: Path, room: str
) -> None:
    """Messages take 1.2 s each way, as the worker's own join has told. What ann says before the worker hears of her is
    lost unnamed.
    """
    seconds = 1.2
    with LiteServer(livekit_binary, tmp_path / "livekit") as server:
        async with FarRelay(server, seconds) as relay, own_stack(tmp_path, database_url, server) as stack:
            session = await stack.create(room, idle_timeout_seconds=60, transport={"url": relay.url})
            await stack.reach(session["id"], "running")
            async with ann(server, room) as talker:
                await asyncio.sleep(10)
                await stack.end(session["id"])
            evidence = await Evidence.gather(stack, session["id"], tmp_path)

    [gap] = holes(evidence.recording["gaps"])
    truth = evidence.truth_of(talker)
    assert (gap["code"], gap.get("identity")) == ("gap.subscribing", "ann")
    assert gap["end_ms"] - gap["start_ms"] > 4_000
    assert (truth.heard > 0, truth.false) == (True, [])
    assert all(slot < 10 * (seconds + 0.5) for slot in truth.undeclared)
    assert evidence.receipt["balances"]
