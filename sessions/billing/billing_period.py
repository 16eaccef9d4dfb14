"""Periods of the bill: half-open spans of time, calendar months of a time zone among them."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from sessions.texts.timestamps import parse_timestamp

MonthWord = Literal["current_month", "previous_month"]
MONTH_WORDS: tuple[MonthWord, ...] = ("current_month", "previous_month")
LONGEST_PERIOD = timedelta(days=366)

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

# Names that stand for another zone on every machine, or for none.
_NOT_PLACES = frozenset({"localtime", "Factory", "posixrules"})


@dataclass(frozen=True, slots=True)
class Period:
    """The times from `start` up to, but without, `end`; both aware."""

    start: datetime
    end: datetime


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones()) - _NOT_PLACES


def time_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name such as `Europe/Berlin`.

    Raises:
        ValueError: there is no such name.
    """
    if name not in _names():
        raise ValueError("must be an IANA time zone such as UTC or Europe/Berlin")
    return ZoneInfo(name)


def month_of(word: MonthWord, now: datetime, zone: ZoneInfo) -> Period:
    """The calendar month of `now` in `zone`, or the one before it: from midnight to midnight there."""
    first = now.astimezone(zone).date().replace(day=1)
    if word == "previous_month":
        first = (first - timedelta(days=1)).replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return Period(_midnight(first, zone), _midnight(following, zone))


def read_edge(text: str, zone: ZoneInfo) -> datetime:
    """Where a period starts or ends: an RFC 3339 time, or a date, which is midnight in `zone`.

    Raises:
        ValueError: it is neither, or lies outside the calendar.
    """
    try:
        if _DATE.fullmatch(text):
            return _midnight(date.fromisoformat(text), zone)
        moment = parse_timestamp(text)
        moment.astimezone(zone)  # the first and the last hours of the calendar have no date there
        return moment
    except (ValueError, OverflowError):
        raise ValueError(
            "must be a date such as 2026-11-01, or an ISO 8601 time such as 2026-11-01T00:00:00Z"
        ) from None


def days_of(period: Period, zone: tzinfo) -> dict[date, datetime]:
    """The days that a period touches in `zone`, in order, each with its first moment in the period."""
    first, last = (moment.astimezone(zone).date() for moment in (period.start, period.end))
    following = (first + timedelta(days=number) for number in range(1, (last - first).days + 1))
    return {first: period.start} | {day: _midnight(day, zone) for day in following}


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
