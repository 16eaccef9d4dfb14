"""Of two reasons to stop at once, which one counts."""

from dataclasses import fields

import pytest

from sessions.lifecycle.stop import Stop
from worker.run.stopping.run_stop import RunStop
from worker.run.stopping.stop_order import Finder, StopFinders

# both are found in the same look: this one counts, that one doesn't
TABLE = [
    ("elsewhere", "spool"),
    ("elsewhere", "join"),
    ("elsewhere", "room"),
    ("elsewhere", "contest"),
    ("elsewhere", "clock"),
    ("spool", "join"),
    ("spool", "room"),
    ("spool", "contest"),
    ("spool", "clock"),
    ("join", "room"),
    ("join", "contest"),
    ("join", "clock"),
    ("room", "contest"),
    ("room", "clock"),
    ("contest", "clock"),
]
NAMES = [field.name for field in fields(StopFinders)]


def finders(found: tuple[str, ...], asked: list[str]) -> StopFinders:
    """Finders of which those in `found` find a stop with their own name as its code; every other one waits."""

    def finder(name: str, waits: bool) -> Finder:
        def find(now_ns: int) -> RunStop | None:
            asked.append(name)
            return RunStop.found(Stop.ended(name)) if name in found else None

        async def find_later(now_ns: int) -> RunStop | None:
            return find(now_ns)

        return find_later if waits else find

    return StopFinders(**{name: finder(name, waits=number % 2 == 1) for number, name in enumerate(NAMES)})


@pytest.mark.parametrize(("counts", "does_not"), TABLE)
async def test_of_two_reasons_at_once_the_one_in_front_counts(counts: str, does_not: str) -> None:
    """Whoever is behind the winner is not even asked: looking has effects."""
    asked: list[str] = []
    stop = await finders((does_not, counts), asked).first(0)
    assert stop == RunStop.found(Stop.ended(counts))
    assert does_not not in asked


def test_the_table_knows_every_pair() -> None:
    """A finder that is added gets its rows."""
    assert len({frozenset(pair) for pair in TABLE}) == len(NAMES) * (len(NAMES) - 1) // 2


async def test_without_a_reason_all_are_asked_and_the_run_goes_on() -> None:
    """Each once."""
    asked: list[str] = []
    assert await finders((), asked).first(0) is None
    assert sorted(asked) == sorted(NAMES)
