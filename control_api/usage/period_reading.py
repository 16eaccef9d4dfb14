"""The period that a request about the bill means: a month of a time zone, or what lies between two edges."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from control_api.http.requests.call import Call
from control_api.http.requests.query_parameters import QueryParameter, choice, edge, with_offset, zone
from control_api.usage.total_models import UsagePeriod
from sessions.billing.billing_period import LONGEST_PERIOD, MONTH_WORDS, Period, month_of, read_edge
from sessions.errors import ParleyError
from sessions.texts.timestamps import format_timestamp

PERIOD_PARAMETERS: tuple[QueryParameter, ...] = (
    choice("period", "A calendar month of time_zone. Default current_month.", MONTH_WORDS),
    edge("period_start", "The start, instead of period: a time, or a date, which is midnight in time_zone."),
    edge(
        "period_end",
        f"The end, exclusive: a time or a date, at most {LONGEST_PERIOD.days} days after period_start.",
    ),
    zone("time_zone", "IANA name, where months and dates begin at midnight."),
)


def period_of(call: Call) -> Callable[[datetime], Period]:
    """The period that the query means, once one knows the database's time.

    Raises:
        ParleyError: `parameter.invalid`.
    """
    zone_: ZoneInfo = call.query["time_zone"]
    chosen = _chosen(call, zone_)
    return lambda now: chosen or month_of(call.query["period"] or MONTH_WORDS[0], now, zone_)


def present_period(period: Period, as_of: datetime, zone_: ZoneInfo) -> UsagePeriod:
    """The period, and how much of it was looked at."""
    return UsagePeriod(
        start=format_timestamp(period.start),
        end=format_timestamp(period.end),
        time_zone=zone_.key,
        as_of=format_timestamp(as_of),
        complete=period.end <= as_of,
    )


def _chosen(call: Call, zone: ZoneInfo) -> Period | None:
    """The period between two edges; None: a month is wanted."""
    edges: dict[str, str | None] = {name: call.query[name] for name in ("period_start", "period_end")}
    if not any(edges.values()):
        return None
    if call.query["period"] is not None:
        raise _invalid("period", "give period, or both period_start and period_end")
    start, end = (_edge(name, text, zone) for name, text in edges.items())
    if start >= end:
        raise _invalid("period_end", "must be after period_start")
    if end - start > LONGEST_PERIOD:
        raise _invalid("period_end", f"must be at most {LONGEST_PERIOD.days} days after period_start")
    return Period(start, end)


def _edge(name: str, text: str | None, zone: ZoneInfo) -> datetime:
    if text is None:
        raise _invalid(name, "period_start and period_end go together")
    try:
        return read_edge(with_offset(text), zone)
    except ValueError as problem:
        raise _invalid(name, str(problem)) from None


def _invalid(name: str, message: str) -> ParleyError:
    return ParleyError("parameter.invalid", message, param=name)
