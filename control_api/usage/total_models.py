"""What a period of the bill adds up to."""

from typing import Literal

from pydantic import Field

from control_api.http.answers.models import AnswerModel, Timestamp
from store.usage.ledger import TAIL_SECONDS
from store.usage.totals import GroupBy


class UsagePeriod(AnswerModel):
    """The half-open span [start, end); a row belongs to it by its `recorded_at`."""

    start: Timestamp
    end: Timestamp
    time_zone: str = Field(description="Where months and dates begin at midnight.")
    as_of: Timestamp = Field(
        description=f"Rows recorded before this time are in: {TAIL_SECONDS} s ago, or the end of the period."
    )
    complete: bool = Field(description="true: the period is over and nothing will be added any more.")


class UsageSums(AnswerModel):
    """Sums over ledger rows."""

    milliseconds: int = Field(description="To be paid: what was counted less what was given back.")
    billable_seconds: int = Field(
        description="The floor of milliseconds / 1000, so groups may add up to less. A session's own "
        "usage.billable_seconds is what was counted, before anything is given back."
    )
    credits: str = Field(description="Decimal with three places: the exact sum of the rows' credits.")
    events: int = Field(description="The number of rows.")


class UsageGroup(UsageSums):
    """The rows that share a value."""

    object: Literal["usage_group"]
    group_by: GroupBy
    value: str | None = Field(description="null: the rows that have no value.")


class UsageReport(AnswerModel):
    """What a period of the bill adds up to, computed from the ledger alone."""

    object: Literal["usage"]
    period: UsagePeriod
    totals: UsageSums = Field(description="Sums of the whole period, whichever page of groups this is.")
    group_by: GroupBy | None
    groups: list[UsageGroup] = Field(
        description="Sorted by value, the group without a value last. Empty without group_by."
    )
    has_more: bool
    next_cursor: str | None = Field(description="What to send as after to get the next page.")
