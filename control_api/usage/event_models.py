"""Rows of the ledger as clients read them."""

from typing import Literal

from pydantic import Field

from control_api.http.answers.models import AnswerModel, Timestamp
from control_api.http.answers.page import Page


class UsageEvent(AnswerModel):
    """One row of the bill: the half-open range [from_ms, to_ms) of the session's counter.

    A row of kind credit gives back: its range is in the times of the recording, and code says what the recording lacks
    there, that nobody was there (usage.no_media), or that the recording had ended (usage.not_recorded); milliseconds
    and credits are negative. The rows of a session add up to what it costs.
    """

    id: str
    object: Literal["usage_event"]
    session_id: str
    epoch: int
    kind: Literal["accrual", "final", "credit"]
    code: str | None = Field(description="Why a credit is given: a gap's code or usage.…; null for other rows.")
    from_ms: int
    to_ms: int
    milliseconds: int
    quality: str
    multiplier: str
    credits: str
    external_customer_id: str | None
    recorded_at: Timestamp


class UsageEventList(Page[UsageEvent]):
    """A page of the bill; `next_cursor` goes into `after`."""
