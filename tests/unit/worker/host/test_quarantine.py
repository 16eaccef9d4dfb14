"""For whom a process is started, for whom not again, and how many there are before anybody needs one."""

from collections.abc import Callable, Collection
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
        self.on_their_way: set[UUID] = set()
        self.meanwhile: Callable[[], object] = lambda: None

    async def suspects(self, waited_seconds: float) -> list[Suspect]:
        self.asked.append(waited_seconds)
        if self.away:
            raise DatabaseUnavailableError
        self.meanwhile()
        return self.suspects_now

    async def all_back(self, sessions: Collection[UUID]) -> bool:
        self.meanwhile()
        return self.on_their_way.isdisjoint(sessions)


def _lost(number: int) -> list[RunKey]:
    return [RunKey(UUID(int=index), 1) for index in range(number)]


def _suspect(number: int, *, epoch: int = 2, alone: bool = False) -> Suspect:
    return Suspect(RunKey(UUID(int=number), epoch), alone)


class Processes:
    """Those that a supervisor would have: each waits until it has taken its sessions, and keeps its place."""

    def __init__(self, places: int) -> None:
        self.places = places
        self.opened: list[int] = []
        self.waiting: list[int] = []

    @property
    def waiting_quarantines(self) -> list[int]:
        return list(self.waiting)

    @property
    def free_quarantines(self) -> int:
        return self.places - len(self.opened)

    def open_quarantine(self, sessions: int) -> None:
        self.opened.append(sessions)
        self.waiting.append(sessions)


class Clock:
    """A clock that is set."""

    seconds = 1000.0

    def now(self) -> float:
        return self.seconds


@pytest.fixture
def waiting() -> Waiting:
    """Nobody yet."""
    return Waiting()


@pytest.fixture
def processes() -> Processes:
    """None yet, and two places."""
    return Processes(2)


@pytest.fixture
def clock() -> Clock:
    """At some instant."""
    return Clock()


@pytest.fixture
def quarantine(waiting: Waiting, processes: Processes, clock: Clock) -> Quarantine:
    """It has looked for those that waited for this host to start."""
    return Quarantine(waiting, processes, clock.now)


async def test_a_process_is_started_once_for_each_loss(
    quarantine: Quarantine, waiting: Waiting, processes: Processes
) -> None:
    """However often it looks until the session is claimed; the next loss is another one."""
    waiting.suspects_now = [_suspect(1)]
    quarantine.released()
    for _ in range(3):
        await quarantine.look()
    assert processes.opened == [1]
    assert waiting.asked == [0, 0, 0], "as long as there is one without a process"

    processes.waiting = []
    waiting.suspects_now = [_suspect(1, epoch=3, alone=True)]
    quarantine.released()
    await quarantine.look()

    assert processes.opened == [1, 1]


async def test_suspects_share_the_places_and_those_that_must_not_get_their_own(
    quarantine: Quarantine, waiting: Waiting, processes: Processes
) -> None:
    """Five that may share, on two places, and one that may not."""
    waiting.suspects_now = [*(_suspect(number) for number in range(5)), _suspect(9, alone=True)]
    quarantine.released()

    await quarantine.look()

    assert processes.opened == [1, 3, 2]


async def test_what_the_database_did_not_answer_is_asked_again(
    quarantine: Quarantine, waiting: Waiting, processes: Processes
) -> None:
    """As urgently as before."""
    waiting.suspects_now, waiting.away = [_suspect(1)], True
    quarantine.released()
    with pytest.raises(DatabaseUnavailableError):
        await quarantine.look()
    waiting.away = False

    await quarantine.look()

    assert (processes.opened, waiting.asked) == ([1], [0, 0])


async def test_suspects_of_other_hosts_are_left_to_them_for_a_while(
    quarantine: Quarantine, waiting: Waiting, processes: Processes
) -> None:
    """Nobody here has lost one: it looks now and then, for those that have waited."""
    for _ in range(300):
        await quarantine.look()

    assert (waiting.asked[0], set(waiting.asked[1:])) == (0, {2.0}), "those that waited for this host to start"
    assert 2 <= len(waiting.asked) <= 120
    assert processes.opened == []


@pytest.mark.parametrize(
    ("lost", "places", "sizes"),
    [(1, 4, [1]), (4, 4, [1, 1, 1, 1]), (5, 4, [2, 1, 1, 1]), (25, 4, [7, 6, 6, 6]), (3, 1, [3]), (3, 0, [])],
)
async def test_spares_wait_for_those_that_a_process_has_died_with(
    waiting: Waiting, clock: Clock, lost: int, places: int, sizes: list[int]
) -> None:
    """One after the other, with room for all of them, as far as there are places."""
    processes = Processes(places)
    quarantine = Quarantine(waiting, processes, clock.now)
    await quarantine.keep_spares()
    assert processes.opened == []
    quarantine.expect(_lost(lost))
    for number in range(8):
        await quarantine.keep_spares()
        assert processes.opened == sizes[: number + 1]


async def test_no_spare_is_started_long_after_a_death(
    quarantine: Quarantine, processes: Processes, clock: Clock
) -> None:
    """Whose spare has ended because nobody needed it gets no other one."""
    quarantine.expect(_lost(1))
    clock.seconds += 10

    await quarantine.keep_spares()

    assert processes.opened == []


@pytest.mark.parametrize(
    ("spares", "suspects", "alone", "more"),
    [
        ([1, 1], 2, 0, []),
        ([1, 1], 3, 0, [1]),
        ([2], 1, 1, [1]),  # it may take the one that nobody may share it with
        ([2, 1], 2, 1, [1]),  # the larger one may
        ([2, 1], 1, 1, []),
        ([3], 0, 2, [1]),
        ([], 3, 1, [1, 2, 1]),
    ],
)
async def test_who_has_no_spare_gets_a_process_at_once(
    waiting: Waiting, clock: Clock, spares: list[int], suspects: int, alone: int, more: list[int]
) -> None:
    """Whichever of them takes whom."""
    processes = Processes(2)
    processes.waiting = list(spares)
    quarantine = Quarantine(waiting, processes, clock.now)
    waiting.suspects_now = [_suspect(number, alone=number < alone) for number in range(suspects + alone)]
    quarantine.released()

    await quarantine.look()

    assert processes.opened == more


async def test_a_suspect_that_is_taken_while_it_is_looked_for_needs_no_other_process(
    quarantine: Quarantine, waiting: Waiting, processes: Processes
) -> None:
    """The database's answer is older than what its process says."""
    waiting.suspects_now, processes.waiting = [_suspect(1)], [1]
    waiting.meanwhile = processes.waiting.clear
    quarantine.released()

    await quarantine.look()

    assert processes.opened == []


async def test_who_is_released_while_others_are_looked_for_is_looked_for_next(
    quarantine: Quarantine, waiting: Waiting, processes: Processes
) -> None:
    """The database's answer does not have it."""
    await quarantine.look()
    quarantine.released()
    waiting.meanwhile = quarantine.released
    await quarantine.look()
    waiting.suspects_now = [_suspect(1)]

    await quarantine.look()

    assert (waiting.asked, processes.opened) == ([0, 0, 0], [1])


async def test_a_suspect_that_no_process_takes_gets_another_one(
    quarantine: Quarantine, waiting: Waiting, processes: Processes, clock: Clock
) -> None:
    """One that waits for suspects may be ill; after two seconds it counts no more."""
    waiting.suspects_now, processes.waiting = [_suspect(1)], [1]
    quarantine.released()
    for _ in range(4):
        await quarantine.look()
        clock.seconds += 1

    assert processes.opened == [1]


async def test_no_spare_is_started_while_sessions_are_taken_over(quarantine: Quarantine, processes: Processes) -> None:
    """Those that the last death left have been taken, and to start another one would take the takeover's time."""
    quarantine.expect(_lost(1))
    quarantine.released()
    await quarantine.keep_spares()
    assert processes.opened == []

    quarantine.expect(_lost(2))
    await quarantine.keep_spares()

    assert processes.opened == [1]


async def test_no_spare_is_started_until_all_are_back_in_their_rooms(
    quarantine: Quarantine, waiting: Waiting, processes: Processes
) -> None:
    """To get there they need the CPU that a start takes."""
    quarantine.expect(_lost(2))
    waiting.on_their_way = {UUID(int=1)}
    await quarantine.keep_spares()
    assert processes.opened == []

    waiting.on_their_way = set()
    await quarantine.keep_spares()

    assert processes.opened == [1]


async def test_a_process_that_is_started_meanwhile_is_enough(
    quarantine: Quarantine, waiting: Waiting, processes: Processes
) -> None:
    """The last place is given once."""
    quarantine.expect(_lost(1))
    waiting.meanwhile = lambda: processes.open_quarantine(1)

    await quarantine.keep_spares()

    assert processes.opened == [1]
