"""Which of the children that run on demand are needed: those for which the database has work that nobody does."""

import asyncio
from collections.abc import Iterable

LOOK_SECONDS = 0.5
"""Between two looks at what there is to do. A delivery or a transcript may begin so much later."""


class Needs:
    """One flag per child; `names` are those that run on demand, every other one is always needed."""

    def __init__(self, names: Iterable[str]) -> None:
        self._needed = {name: asyncio.Event() for name in names}
        self._over = False

    @property
    def missing(self) -> frozenset[str]:
        """Those that are not needed so far, of which it is worth asking."""
        return frozenset(name for name, needed in self._needed.items() if not needed.is_set())

    def note(self, name: str) -> None:
        """There is something to do for it."""
        self._needed[name].set()

    def forget(self, name: str) -> None:
        """It has ended, as it had nothing to do."""
        if name in self._needed and not self._over:
            self._needed[name].clear()

    def end(self) -> None:
        """Nobody has to wait any longer."""
        self._over = True
        for needed in self._needed.values():
            needed.set()

    async def wait(self, name: str) -> None:
        """Return when it is needed, or after `end`."""
        if name in self._needed:
            await self._needed[name].wait()
