"""What is done about the runs of recorder processes that died, and who is blamed when others can see them."""

import asyncio
import time
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from sessions.errors import DatabaseUnavailableError
from store.runs.claims import DeadProcess, RunKey
from worker.host.rescuer import RunRescuer

FIRST, SECOND, THIRD = uuid4(), uuid4(), uuid4()


class Written:
    """What was written of the store, in order, and who was to blame for each lost run then; each has `runs`."""

    def __init__(self) -> None:
        self.log: list[str | dict[UUID, bool]] = []
        self.runs = 1
        self.blamed: dict[UUID, bool] = {}
        self.go_on = asyncio.Semaphore(0)
        self.away = False

    async def bury(self, dead: Sequence[DeadProcess], pardoned: Sequence[RunKey]) -> dict[UUID, list[RunKey]]:
        await self.go_on.acquire()
        if self.away:
            raise DatabaseUnavailableError
        self.blamed |= {run.session_id: False for run in pardoned}
        self.blamed |= {process.owner: not process.pardoned for process in dead if process.lost}
        self.log.append(dict(self.blamed))
        return {process.owner: [RunKey(process.owner, 1)] * self.runs for process in dead if self.runs}

    def looked_for(self) -> None:
        self.log.append("looked for")

    def expected(self, runs: Sequence[RunKey]) -> None:
        self.log.append(f"{len(runs)} to blame")


@pytest.fixture
def written() -> Written:
    """Nothing yet."""
    return Written()


@pytest.fixture
def rescuer(written: Written) -> RunRescuer:
    """Of nobody yet."""
    return RunRescuer(written, written.looked_for, written.expected)


async def test_those_that_die_together_are_pardoned_as_they_are_released(written: Written, rescuer: RunRescuer) -> None:
    """There is no instant at which others see one of them blamed."""
    written.go_on.release()
    rescuer.bury(FIRST, lost=True)
    rescuer.bury(SECOND, lost=True)

    await rescuer.rescue()

    assert written.log == [{FIRST: False, SECOND: False}, "looked for"]


async def test_whoever_is_dying_has_died_together_with_the_first_one(written: Written, rescuer: RunRescuer) -> None:
    """A large process takes a while to end; its own runs are released when it has."""
    written.go_on.release()
    rescuer.bury(FIRST, lost=True, dying=[SECOND])
    await rescuer.rescue()
    assert written.log == [{FIRST: False}, "looked for"]

    written.go_on.release()
    rescuer.bury(SECOND, lost=True)
    await rescuer.rescue()

    assert written.log[2:] == [{FIRST: False, SECOND: False}, "looked for"]


async def test_who_dies_while_another_one_is_released_pardons_it_before_suspects_are_looked_for(
    written: Written, rescuer: RunRescuer
) -> None:
    """In the transaction that releases its own runs."""
    rescuer.bury(FIRST, lost=True)
    rescuing = asyncio.ensure_future(rescuer.rescue())
    await asyncio.sleep(0)
    rescuer.bury(SECOND, lost=True)
    for _ in range(2):
        written.go_on.release()
    await rescuing

    assert written.log == [{FIRST: True}, {FIRST: False, SECOND: False}, "looked for"]


async def test_what_the_database_did_not_hear_is_said_again(written: Written, rescuer: RunRescuer) -> None:
    """Until then nobody else may take these runs for left over."""
    written.away = True
    written.go_on.release()
    rescuer.bury(FIRST, lost=True)
    with pytest.raises(DatabaseUnavailableError):
        await rescuer.rescue()
    assert rescuer.unburied == {FIRST}
    assert written.log == []

    written.away = False
    written.go_on.release()
    rescuer.bury(SECOND, lost=True)
    await rescuer.rescue()

    assert not rescuer.unburied
    assert written.log == [{FIRST: False, SECOND: False}, "looked for"]


async def test_who_hands_over_dies_with_nobody(written: Written, rescuer: RunRescuer) -> None:
    """It has lost nothing."""
    written.go_on.release()
    rescuer.bury(FIRST, lost=False)
    rescuer.bury(SECOND, lost=True)
    rescuer.bury(THIRD, lost=False)

    await rescuer.rescue()

    assert written.log == [{SECOND: True}, "looked for"]


async def test_nothing_is_looked_for_when_nobody_died(written: Written, rescuer: RunRescuer) -> None:
    """A look is for what a release has left."""
    await rescuer.rescue()

    assert written.log == []


@pytest.mark.parametrize("runs", [0, 3])
async def test_a_process_that_died_on_its_own_is_told_of_once_that_is_certain(
    written: Written, rescuer: RunRescuer, monkeypatch: pytest.MonkeyPatch, runs: int
) -> None:
    """With how many sessions it has died, if with any."""
    written.runs = runs
    now = time.monotonic()
    rescuer.bury(FIRST, lost=True)
    written.go_on.release()
    await rescuer.rescue()
    assert written.log == [{FIRST: True}, "looked for"]
    monkeypatch.setattr(time, "monotonic", lambda: now + 2)

    await rescuer.rescue()
    await rescuer.rescue()

    assert written.log[2:] == (["3 to blame"] if runs else [])


async def test_of_processes_that_died_together_none_is_told(
    written: Written, rescuer: RunRescuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it came out that they had."""
    now = time.monotonic()
    rescuer.bury(FIRST, lost=True)
    written.go_on.release()
    await rescuer.rescue()
    rescuer.bury(SECOND, lost=True, dying=[THIRD])
    written.go_on.release()
    await rescuer.rescue()
    monkeypatch.setattr(time, "monotonic", lambda: now + 2)
    rescuer.bury(THIRD, lost=True)
    written.go_on.release()
    await rescuer.rescue()
    monkeypatch.setattr(time, "monotonic", lambda: now + 4)

    await rescuer.rescue()

    assert written.log[-1] == "looked for"
    assert written.blamed == dict.fromkeys((FIRST, SECOND, THIRD), False)
