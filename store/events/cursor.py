"""How far a reader of an organization's events has come."""

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from sessions.ids import format_id, parse_id

_CHECK_BITS = 64
_CHECK = (1 << _CHECK_BITS) - 1


@dataclass(frozen=True, slots=True)
class Cursor:
    """The position of an event, and half of its id: in a log that was restored to an earlier time, other events come to
    have the same positions, and a cursor from before is told apart from theirs.

    Attributes:
        position: of the last event that the reader has; 0: it has none.
        check: the last 64 bits of that event's id.
    """

    position: int
    check: int

    @classmethod
    def at(cls, position: int, event_id: UUID) -> Self:
        """The cursor of who has read up to this event."""
        return cls(position, event_id.int & _CHECK)

    @classmethod
    def parse(cls, text: str, *, param: str = "after") -> Self:
        """The cursor behind `evc_…`.

        Raises:
            ParleyError: `id.invalid`, naming `param`.
        """
        return cls.of(parse_id("evc", text, param=param))

    @classmethod
    def of(cls, value: UUID) -> Self:
        """The cursor with this `value`."""
        return cls(value.int >> _CHECK_BITS, value.int & _CHECK)

    @property
    def value(self) -> UUID:
        """The same in 128 bits, for a column."""
        return UUID(int=(self.position << _CHECK_BITS) | self.check)

    def names(self, event_id: UUID) -> bool:
        """Whether this is the event at the cursor's position that the cursor was made of."""
        return event_id.int & _CHECK == self.check

    def __str__(self) -> str:
        return format_id("evc", self.value)


BEGINNING = Cursor(0, 0)
