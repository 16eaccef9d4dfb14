"""Rows of the ledger as clients read them."""

from typing import Literal

from control_api.http.answers.models import AnswerModel, Timestamp
from control_api.http.answers.page import Page


class UsageEvent(AnswerModel):
    """One row of the bill: the half-open range [from_ms, to_ms) of the session's counter."""

    id: str
    object: Literal["usage_event"]
    session_id: str
    epoch: int
    kind: Literal["accrual", "final"]
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
