"""Pages of long answers are read in turns, which organizations share; only so many are sent at a time."""

import asyncio
from contextlib import ExitStack
from uuid import UUID

import pytest

from control_api.http.answers.envelope import RefusedRequestError
from control_api.http.serving import bulk_reads
from control_api.http.serving.bulk_reads import BulkReads

ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))


async def test_an_organization_has_one_turn_and_all_have_two() -> None:
    """Whoever waits goes next; who goes away meanwhile takes nothing along and leaves nothing behind."""
    reads, order, leave = BulkReads(), list[tuple[str, UUID]](), asyncio.Event()

    async def read(name: str, organization_id: UUID) -> None:
        async with reads.turn(organization_id):
            order.append((name, organization_id))
            await leave.wait()

    async with asyncio.TaskGroup() as group:
        for name, organization_id in (("a", ONE), ("b", ONE), ("c", TWO), ("d", THREE)):
            waiting = group.create_task(read(name, organization_id))
        for _ in range(3):
            await asyncio.sleep(0)
        assert order == [("a", ONE), ("c", TWO)]
        waiting.cancel()
        leave.set()
    assert order[2:] == [("b", ONE)]
    assert (reads._turns, reads._in_line) == ({}, {})
    async with reads.turn(ONE), reads.turn(THREE):
        pass


async def test_only_so_many_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each organization, and of all."""
    monkeypatch.setattr(bulk_reads, "MOST", 3)
    monkeypatch.setattr(bulk_reads, "MOST_OF_ONE", 2)
    reads = BulkReads()
    with ExitStack() as stack:
        for organization_id in (ONE, ONE, TWO):
            stack.enter_context(reads.sending(organization_id))
        for organization_id in (ONE, THREE):
            with pytest.raises(RefusedRequestError, match=r"rate_limit\.requests"), reads.sending(organization_id):
                pass
    assert reads._sent == {}
    with reads.sending(ONE), reads.sending(ONE), reads.sending(THREE):
        pass
