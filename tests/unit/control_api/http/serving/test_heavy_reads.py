"""Whole transcripts are read from a few places, which organizations share."""

import asyncio
from uuid import UUID

import pytest

from control_api.http.answers.envelope import RefusedRequestError
from control_api.http.serving import heavy_reads
from control_api.http.serving.heavy_reads import HeavyReads

ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))


async def test_an_organization_has_one_place_and_all_have_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gets none in time is refused, and leaves nothing behind; a place is given back once."""
    monkeypatch.setattr(heavy_reads, "WAIT_SECONDS", 0.01)
    reads = HeavyReads()
    first = await reads.take(ONE)
    with pytest.raises(RefusedRequestError, match=r"rate_limit\.requests"):
        await reads.take(ONE)
    second = await reads.take(TWO)
    with pytest.raises(RefusedRequestError, match=r"rate_limit\.requests"):
        await reads.take(THREE)
    for give_back in (first, first, second):
        give_back()
    assert (reads._turns, reads._asking) == ({}, {})
    for give_back in [await reads.take(organization) for organization in (ONE, THREE)]:
        give_back()


async def test_who_waits_goes_next_and_who_goes_away_takes_nothing() -> None:
    """Canceled while it waits for its organization's turn, or for a place."""
    reads = HeavyReads()
    first, other = await reads.take(ONE), await reads.take(TWO)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(reads.take(ONE))
        third = group.create_task(reads.take(THREE))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        third.cancel()
        first()
        (await waiting)()
    other()
    assert (reads._turns, reads._asking) == ({}, {})
    for give_back in [await reads.take(organization) for organization in (ONE, TWO)]:
        give_back()
