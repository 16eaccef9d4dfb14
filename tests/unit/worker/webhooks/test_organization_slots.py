"""How requests share what there is."""

import asyncio
from uuid import UUID

from worker.webhooks.organization_slots import OrganizationSlots

SETTLED = 20  # turns of the loop


async def _hold(slots: OrganizationSlots, organization: int, let_in: list[int], over: asyncio.Event) -> None:
    async with slots.slot(UUID(int=organization)):
        let_in.append(organization)
        await over.wait()


async def _settle() -> None:
    for _ in range(SETTLED):
        await asyncio.sleep(0)


async def test_organizations_that_hang_leave_room_for_one_that_comes() -> None:
    """However many they are, each has a share; the next one is let in at once."""
    for hanging in range(1, 9):
        slots, let_in, over = OrganizationSlots(per_organization=4, in_all=32), list[int](), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for organization in range(hanging):
                for _ in range(10):
                    group.create_task(_hold(slots, organization, let_in, over))
            await _settle()
            group.create_task(_hold(slots, 99, let_in, over))
            await _settle()
            assert (let_in[-1], let_in.count(0)) == (99, 4)
            assert len(let_in) <= 32
            over.set()


async def test_when_all_is_taken_who_has_the_fewest_is_next() -> None:
    """Not who asked first, nor who asks most."""
    slots, let_in = OrganizationSlots(per_organization=4, in_all=2), list[int]()
    first, over = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(_hold(slots, 0, let_in, first))
        group.create_task(_hold(slots, 1, let_in, over))
        await _settle()
        for organization in (1, 1, 0, 2):
            group.create_task(_hold(slots, organization, let_in, over))
        await _settle()
        assert let_in == [0, 1]
        first.set()
        await _settle()
        assert sorted(let_in) == [0, 0, 1]
        over.set()
    assert sorted(let_in) == [0, 0, 1, 1, 1, 2]


async def test_who_leaves_while_waiting_takes_nothing_along() -> None:
    """Cancelled in the queue, or between being let in and going on."""
    slots, let_in, over = OrganizationSlots(per_organization=1, in_all=4), list[int](), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        holder = group.create_task(_hold(slots, 0, let_in, over))
        waiting = [group.create_task(_hold(slots, 0, let_in, over)) for _ in range(3)]
        await _settle()
        waiting[0].cancel()
        await _settle()
        holder.cancel()
        await asyncio.sleep(0)  # the next one is let in, and has not gone on
        waiting[1].cancel()
        await _settle()
        assert let_in == [0, 0]
        over.set()
    async with asyncio.timeout(5), slots.slot(UUID(int=0)):
        assert let_in == [0, 0]
