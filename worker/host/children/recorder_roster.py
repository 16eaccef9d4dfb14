"""Which recorder processes run, and in which places: regular ones, those that have retired, those for suspects."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from uuid import UUID

from worker.host.children.child import Child


class RecorderRoster:
    """The children that record, by the owner of their runs. Each is there for as long as its process runs."""

    def __init__(self) -> None:
        self._regular: dict[UUID, Child] = {}
        self._retired: dict[UUID, Child] = {}
        self._for_suspects: dict[UUID, Child] = {}
        self._places: dict[UUID, str] = {}

    @property
    def all(self) -> Mapping[UUID, Child]:
        """Every one of them."""
        return self._regular | self._retired | self._for_suspects

    @property
    def regular(self) -> Mapping[UUID, Child]:
        """Those that take sessions, and were not started for suspects."""
        return self._regular

    @property
    def places(self) -> Mapping[UUID, str]:
        """Each one's place (`recorder-0`, …, `retired-0`, …, `quarantine-0`, …)."""
        return self._places

    def is_for_suspects(self, child: Child) -> bool:
        """Whether it was started for suspects."""
        return child in self._for_suspects.values()

    @contextmanager
    def entered(self, owner: UUID, child: Child, place: str, *, for_suspects: bool) -> Iterator[None]:
        """It runs within this block."""
        children = self._for_suspects if for_suspects else self._regular
        children[owner], self._places[owner] = child, place
        try:
            yield
        finally:
            for children in (self._for_suspects, self._regular, self._retired):
                children.pop(owner, None)
            del self._places[owner]

    def retire(self, owner: UUID) -> None:
        """It takes no more sessions, and its place is another one's."""
        self._retired[owner] = self._regular.pop(owner)
        taken = set(self._places.values())
        self._places[owner] = next(place for number in count() if (place := f"retired-{number}") not in taken)
