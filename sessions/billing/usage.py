"""Usage arithmetic. Milliseconds are integers, credits are decimals with three places, floats are nowhere."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

Quality = Literal["standard", "mock"]

# mock loads no model; it bills as standard when it appears on a real session.
MULTIPLIERS: dict[Quality, Decimal] = {"standard": Decimal("1.000"), "mock": Decimal("1.000")}


@dataclass(frozen=True, slots=True)
class Usage:
    """A session's counters. They only ever grow and are at most one beat old, until they are final.

    Attributes:
        billable_ms: proven running time in milliseconds.
        credited_ms: what of it the bill gives back, since the recording lacks it through no fault of the customer
            or nobody was in the room.
        frames: 10 ms frames received, over all recorded tracks.
        audio_ms_received: milliseconds of audio received, over all recorded tracks.
        as_of: the beat that they come from; None before the first.
        provisional: the session is not over: more may be counted, and nothing was given back yet.
    """

    billable_ms: int
    frames: int
    audio_ms_received: int
    as_of: datetime | None
    credited_ms: int = 0
    provisional: bool = True

    @property
    def billable_seconds(self) -> int:
        """The floor of `billable_ms`."""
        return self.billable_ms // 1000


def credits(milliseconds: int, multiplier: Decimal) -> Decimal:
    """Milliseconds × multiplier / 1000, to three places, halves up, as PostgreSQL's `round` does in the ledger."""
    return (Decimal(milliseconds) * multiplier / 1000).quantize(Decimal("0.001"), ROUND_HALF_UP)


def row_milliseconds(kind: str, from_ms: int, to_ms: int) -> int:
    """What a row of the bill adds to it; negative for one that gives back."""
    return from_ms - to_ms if kind == "credit" else to_ms - from_ms
