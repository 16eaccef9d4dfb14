"""For whom a process is started, and for whom not again."""

from uuid import UUID

import pytest

from sessions.errors import DatabaseUnavailableError
from store.runs.claims import RunKey, Suspect
from worker.host.quarantine import Quarantine


class Waiting:
    """Suspects as the database would tell; says how long they must have waited."""

    def __init__(self) -> None:
        self.suspects_now: list[Suspect] = []
        self.asked: list[float] = []
        self.away = False

    async def suspects(self, waited_seconds: float) -> list[Suspect]:
        self.asked.append(waited_seconds)
        if self.away:
            raise DatabaseUnavailableError
        return self.suspects_now


def _suspect(number: int, *, epoch: int = 2, alone: bool = False) -> Suspect:
    return Suspect(RunKey(UUID(int=number), epoch), alone)


@pytest.fixture
def waiting() -> Waiting:
    """Nobody yet."""
    return Waiting()


@pytest.fixture
def started() -> list[int]:
    """The sizes of the processes that were started."""
    return []


@pytest.fixture
def quarantine(waiting: Waiting, started: list[int]) -> Quarantine:
    """With two free places."""
    return Quarantine(waiting, started.append, lambda: 2)


async def test_a_process_is_started_once_for_each_loss(
    quarantine: Quarantine, waiting: Waiting, started: list[int]
) -> None:
    """However often it looks until the session is claimed; the next loss is another one."""
    waiting.suspects_now = [_suspect(1)]
    for _ in range(3):
        quarantine.released()
        await quarantine.look()
    assert started == [1]

    waiting.suspects_now = [_suspect(1, epoch=3, alone=True)]
    quarantine.released()
    await quarantine.look()

    assert started == [1, 1]


async def test_suspects_share_the_places_and_those_that_must_not_get_their_own(
    quarantine: Quarantine, waiting: Waiting, started: list[int]
) -> None:
    """Five that may share, on two places, and one that may not."""
    waiting.suspects_now = [*(_suspect(number) for number in range(5)), _suspect(9, alone=True)]
    quarantine.released()

    await quarantine.look()

    assert started == [1, 3, 2]


async def test_what_the_database_did_not_answer_is_asked_again(
    quarantine: Quarantine, waiting: Waiting, started: list[int]
) -> None:
    """As urgently as before."""
    waiting.suspects_now, waiting.away = [_suspect(1)], True
    quarantine.released()
    with pytest.raises(DatabaseUnavailableError):
        await quarantine.look()
    waiting.away = False

    await quarantine.look()

    assert (started, waiting.asked) == ([1], [0, 0])


async def test_suspects_of_other_hosts_are_left_to_them_for_a_while(
    quarantine: Quarantine, waiting: Waiting, started: list[int]
) -> None:
    """Nobody here has lost one: it looks now and then, for those that have waited."""
    for _ in range(300):
        await quarantine.look()

    assert (waiting.asked[0], set(waiting.asked[1:])) == (0, {2.0}), "those that waited for this host to start"
    assert 2 <= len(waiting.asked) <= 120
    assert started == []
