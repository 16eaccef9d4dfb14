"""Which connections to a server belong to one join: by when they were opened. Pure.

Nothing in a connection says so, as its bytes are encrypted and LiveKit's SDK has one address and one name for all that
a process sends through its proxy. But a join opens connections only until it has landed.
"""

import json
import math
from dataclasses import dataclass
from typing import Self

Span = tuple[float, float]
"""From when to when, both included; seconds of the clock that all processes of a host share (`time.monotonic`)."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Those that were opened within `within`, and not within any of `others`, where they may be somebody else's."""

    within: Span
    others: tuple[Span, ...] = ()

    def hold(self, opened: float) -> bool:
        """Whether a connection that was opened then is one of them for certain."""
        return _holds(self.within, opened) and not any(_holds(other, opened) for other in self.others)

    def text(self) -> str:
        """In one line; `read` is its inverse."""
        return json.dumps([_finite(span) for span in (self.within, *self.others)])

    @classmethod
    def read(cls, text: str) -> Self:
        """What `text` has written.

        Raises:
            ValueError: it has not.
        """
        try:
            spans = [(float(start), math.inf if end is None else float(end)) for start, end in json.loads(text)]
            return cls(spans[0], tuple(spans[1:]))
        except (TypeError, IndexError, RecursionError):
            raise ValueError("no spans") from None


def _holds(span: Span, instant: float) -> bool:
    return span[0] <= instant <= span[1]


def _finite(span: Span) -> tuple[float, float | None]:
    return span[0], None if math.isinf(span[1]) else span[1]
