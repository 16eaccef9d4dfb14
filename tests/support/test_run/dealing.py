"""The order of tests in a run of several processes."""

from collections.abc import Sequence
from typing import TypeVar

_Test = TypeVar("_Test")


def dealt(long: Sequence[_Test], others: Sequence[_Test], processes: int) -> list[_Test]:
    """All of them, so that each process begins with its share of the long ones.

    `--dist worksteal` gives each process one part of the order, and the rest of a busy one's to whoever has none left.
    A long test at the end of a part would run while the others have nothing to do.
    """
    order: list[_Test] = []
    rest = list(others)
    for number in range(processes):
        share = long[number::processes]
        size = (len(long) + len(others) - len(order)) // (processes - number)
        taken = max(size - len(share), 0)
        order += [*share, *rest[:taken]]
        rest = rest[taken:]
    return order + rest
