"""Why a session stops: one value from whoever decides it to the row that tells it."""

from dataclasses import dataclass
from datetime import datetime

from sessions.lifecycle.lifecycle import Outcome


@dataclass(frozen=True, slots=True)
class Stop:
    """A decided stop.

    Attributes:
        outcome: what a session that ran becomes. One that never ran is canceled when it was to be `ended`.
        code: why, from the registry of codes. It becomes `end_reason`, and `error_code` when the outcome is `failed`.
        message: for humans, when the outcome is `failed`; None: the registry's help.
        at: when it happened, if that lies before the transition is written; None: then.
    """

    outcome: Outcome
    code: str
    message: str | None = None
    at: datetime | None = None

    @classmethod
    def ended(cls, code: str, at: datetime | None = None) -> "Stop":
        """With the outcome `ended`."""
        return cls("ended", code, at=at)

    @classmethod
    def canceled(cls, code: str) -> "Stop":
        """With the outcome `canceled`."""
        return cls("canceled", code)

    @classmethod
    def failed(cls, code: str, message: str | None = None, at: datetime | None = None) -> "Stop":
        """With the outcome `failed`."""
        return cls("failed", code, message, at)
