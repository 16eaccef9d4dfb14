"""What is done about the runs of recorder processes that died, and in which order."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from sessions.ids import new_uuid
from store.runs.claims import RunKey
from worker.host.rescuer import RunRescuer


class Written:
    """What was asked of the store, in order; each release waits for `go_on`."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.go_on = asyncio.Semaphore(0)

    async def release(self, owner: UUID, *, lost: bool) -> list[RunKey]:
        await self.go_on.acquire()
        self.log.append("released")
        return [RunKey(new_uuid(), 1)]

    async def pardon(self, runs: Sequence[RunKey]) -> None:
        self.log.append("pardoned")


async def test_those_that_die_together_are_pardoned_before_suspects_are_looked_for() -> None:
    """Also when the second one dies while the first one's runs are being released."""
    written = Written()
    rescuer = RunRescuer(written, lambda: written.log.append("looked for"))
    rescuer.bury(new_uuid(), lost=True)
    rescuing = asyncio.ensure_future(rescuer.rescue())
    await asyncio.sleep(0)
    rescuer.bury(new_uuid(), lost=True)
    written.go_on.release()
    written.go_on.release()
    await rescuing

    assert written.log == ["released", "released", "pardoned", "pardoned", "looked for"]


async def test_nothing_is_looked_for_when_nobody_died() -> None:
    """A look is for what a release has left."""
    written = Written()
    await RunRescuer(written, lambda: written.log.append("looked for")).rescue()

    assert written.log == []
