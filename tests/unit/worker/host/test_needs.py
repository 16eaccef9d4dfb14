"""Which children are waited for until there is work."""

import asyncio

from worker.host.needs import Needs


async def test_a_child_is_waited_for_until_it_is_needed_and_again_after_it_has_ended() -> None:
    """What always runs is never waited for."""
    needs = Needs(["speech", "webhooks"])
    async with asyncio.timeout(5):
        await needs.wait("jobs")
        assert needs.missing == {"speech", "webhooks"}
        needs.note("speech")
        await needs.wait("speech")
        assert needs.missing == {"webhooks"}
        needs.forget("speech")
        assert needs.missing == {"speech", "webhooks"}


async def test_at_the_end_nobody_waits_any_longer() -> None:
    """Also for one that ends afterwards."""
    needs = Needs(["speech"])
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(needs.wait("speech"))
        await asyncio.sleep(0)
        needs.end()
        needs.forget("speech")
        await needs.wait("speech")
