"""The connections that are open through the guard: who has them, since when, and how much came over each."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from worker.guard.allowance import Allowance, Target
from worker.guard.spans import Spans
from worker.guard.traffic import Traffic


class OpenConnection:
    """One of them.

    Attributes:
        client: the side of the recorder process.
        opened: when it asked (`time.monotonic`).
        allowance: what its server may send.
        received_bytes: what it has sent so far.
    """

    def __init__(self, client: asyncio.StreamWriter, allowance: Allowance, opened: float) -> None:
        self.client = client
        self.opened = opened
        self.allowance = allowance
        self.received_bytes = 0

    @property
    def traffic(self) -> Traffic:
        """What its recorder process may know of it."""
        now = time.monotonic()
        self.allowance.take(0, now)
        allowed = self.allowance.rate.burst + self.allowance.rate.per_second * (now - self.opened)
        return Traffic(self.opened, self.received_bytes, max(self.allowance.used_share, self.received_bytes / allowed))


class OpenConnections:
    """By who has them and where they lead."""

    def __init__(self) -> None:
        self._open: defaultdict[Target, set[OpenConnection]] = defaultdict(set)

    @contextmanager
    def having(self, target: Target, client: asyncio.StreamWriter, allowance: Allowance) -> Iterator[OpenConnection]:
        """One more, until the block ends."""
        one = OpenConnection(client, allowance, time.monotonic())
        self._open[target].add(one)
        try:
            yield one
        finally:
            self._open[target].discard(one)
            if not self._open[target]:
                del self._open[target]

    def to(self, target: Target, spans: Spans | None = None) -> list[OpenConnection]:
        """Those to there, oldest first; with `spans` only those that lie in them."""
        found = [one for one in self._open.get(target, ()) if spans is None or spans.hold(one.opened)]
        return sorted(found, key=lambda one: one.opened)
