"""Which connections to rooms' servers belong to which join of this process. Pure: time arrives as `now`.

A join opens connections until it has landed, and its room does while it reconnects. So a connection is certainly a
join's own if it was opened at such a time of this join and of no other one. Instants are those of `time.monotonic`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID
from weakref import ReferenceType, ref

from worker.guard.spans import Span, Spans


class Joined(Protocol):
    """The part of a room that is needed here."""

    @property
    def left(self) -> bool:
        """Whether it was left."""

    @property
    def reconnects(self) -> Sequence[Span]:
        """When it may have opened connections since it was joined; infinity: it still may."""


@dataclass(eq=False, slots=True)
class OneJoin:
    """A join that is under way, or its room.

    Attributes:
        target: `host:port`.
        session_id: whose it is, if anybody's.
        wanted: somebody waits for it, or is in its room.
    """

    target: str
    session_id: UUID | None
    started: float
    landed: float = math.inf
    wanted: bool = True
    room: "ReferenceType[Joined] | None" = None

    @property
    def over(self) -> bool:
        """It has landed, and its room is gone."""
        room = None if self.room is None else self.room()
        return self.room is not None and (room is None or room.left)

    @property
    def spans(self) -> list[Span]:
        """When it may have opened connections."""
        room = None if self.room is None else self.room()
        return [(self.started, self.landed), *(() if room is None else room.reconnects)]


class JoinSpans:
    """All joins of a process: `begin`, then `land` or `fail`."""

    def __init__(self) -> None:
        self._joins: set[OneJoin] = set()

    @property
    def targets(self) -> frozenset[str]:
        """Where the joins lead."""
        return frozenset(one.target for one in self._there())

    def begin(self, target: str, session_id: UUID | None, now: float) -> OneJoin:
        """A join starts."""
        one = OneJoin(target, session_id, now)
        self._joins.add(one)
        return one

    def land(self, one: OneJoin, room: Joined, now: float) -> None:
        """It has landed in `room`, which nobody has to keep."""
        one.landed, one.room = now, ref(room)

    def fail(self, one: OneJoin) -> None:
        """It has not."""
        self._joins.discard(one)

    def alone(self, one: OneJoin) -> bool:
        """Whether nobody else wants its server."""
        return not self._others(one)

    def surely_of(self, one: OneJoin, now: float) -> Spans:
        """Connections that are this join's, or another's that nobody wants either."""
        others = [span for other in self._others(one) for span in other.spans if span[1] >= one.started]
        return Spans((one.started, now), tuple(others))

    def session_of(self, target: str, opened: float) -> UUID | None:
        """Whose a connection is that was opened then; None where that can't be told."""
        there = [one for one in self._there() if one.target == target]
        whose = {one.session_id for one in there if any(start <= opened <= end for start, end in one.spans)}
        return whose.pop() if len(whose) == 1 else None

    def _others(self, one: OneJoin) -> list[OneJoin]:
        return [other for other in self._there() if other.wanted and other.target == one.target and other is not one]

    def _there(self) -> list[OneJoin]:
        self._joins = {one for one in self._joins if not one.over}
        return list(self._joins)
