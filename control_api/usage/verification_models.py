"""Whether the bills of a period are right."""

from typing import Literal

from pydantic import Field

from control_api.http.answers.models import AnswerModel
from control_api.usage.total_models import UsagePeriod

MOST_SENTENCES = 20


class UnbalancedBill(AnswerModel):
    """A session's bill that is wrong."""

    session_id: str
    milliseconds: int = Field(description="What its rows add up to.")
    credits: str = Field(description="What its rows say that this costs.")
    recomputed_credits: str = Field(description="What it costs: each row's milliseconds times its multiplier.")
    imbalances: list[str] = Field(
        description=f"What is wrong, in sentences, {MOST_SENTENCES} at most; the session's receipt has all."
    )


class UsageVerification(AnswerModel):
    """What a page of bills came to that were computed again from their rows, counters and recordings."""

    object: Literal["usage_verification"]
    period: UsagePeriod
    sessions: int = Field(description="How many bills this page has computed again.")
    running: int = Field(description="How many of them are right so far: their sessions go on.")
    balances: bool = Field(description="Whether all of this page are right; ask for the other pages, too.")
    unbalanced: list[UnbalancedBill] = Field(description="Those that are not.")
    has_more: bool = Field(description="The period touches more bills, which this page did not get to.")
    next_cursor: str | None = Field(description="What to send as after to get the next page.")
