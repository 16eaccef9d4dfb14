"""Periods of the bill: months and dates of a time zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.billing.billing_period import MonthWord, Period, days_of, month_of, read_edge, time_zone

ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "America/Havana"])
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("word", "zone", "start", "end"),
    [
        ("current_month", "UTC", "2026-03-01T00:00+00:00", "2026-04-01T00:00+00:00"),
        ("previous_month", "UTC", "2026-02-01T00:00+00:00", "2026-03-01T00:00+00:00"),
        ("current_month", "Europe/Berlin", "2026-02-28T23:00+00:00", "2026-03-31T22:00+00:00"),  # summer time begins
        ("previous_month", "America/New_York", "2026-01-01T05:00+00:00", "2026-02-01T05:00+00:00"),
        ("current_month", "Asia/Kathmandu", "2026-02-28T18:15+00:00", "2026-03-31T18:15+00:00"),  # +05:45
        ("current_month", "America/St_Johns", "2026-02-01T03:30+00:00", "2026-03-01T03:30+00:00"),
    ],
)
def test_months_begin_at_midnight_of_the_zone(word: MonthWord, zone: str, start: str, end: str) -> None:
    """At 2026-03-01 02:00 UTC it is still February in New York."""
    now = datetime(2026, 3, 1, 2, tzinfo=UTC)
    expected = Period(datetime.fromisoformat(start), datetime.fromisoformat(end))
    assert expected == month_of(word, now, time_zone(zone))


@given(now=TIMES, zone=ZONES)
def test_months_tile_time(now: datetime, zone: str) -> None:
    """The current month holds now, the previous one ends where it begins."""
    current, previous = (month_of(word, now, ZoneInfo(zone)) for word in ("current_month", "previous_month"))
    assert current.start <= now < current.end
    assert previous.end == current.start
    assert previous == month_of("current_month", current.start - timedelta(seconds=1), ZoneInfo(zone))


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "America", "EST5X", "\0"])
def test_other_names_are_refused(name: str) -> None:
    """Folders, paths, POSIX rules; also what would mean something else on another machine."""
    for wrong in (name, "localtime", "utc "):
        with pytest.raises(ValueError, match="IANA time zone"):
            time_zone(wrong)


def test_a_date_is_midnight_in_the_zone() -> None:
    """A time with an offset needs no zone; where the clock skips midnight, the day begins with what there is."""
    assert datetime(2026, 10, 31, 13, tzinfo=UTC) == read_edge("2026-11-01", time_zone("Australia/Lord_Howe"))
    assert datetime(2026, 9, 30, 13, 30, tzinfo=UTC) == read_edge("2026-10-01", time_zone("Australia/Lord_Howe"))
    assert datetime(2026, 4, 23, 22, tzinfo=UTC) == read_edge("2026-04-24", time_zone("Africa/Cairo"))
    berlin = time_zone("Europe/Berlin")
    assert datetime(2026, 10, 31, 23, tzinfo=UTC) == read_edge("2026-11-01", berlin)
    assert datetime(2026, 11, 1, tzinfo=UTC) == read_edge("2026-11-01T00:00:00Z", berlin)


@pytest.mark.parametrize("text", ["", "2026-13-01", "20261101T0", "2026-11-01T00:00:00", "0001-01-01", "yesterday"])
def test_other_edges_are_refused(text: str) -> None:
    """Without an offset a time means nothing; before year 1 there is none."""
    with pytest.raises(ValueError, match="must be a date"):
        read_edge(text, time_zone("Europe/Berlin"))


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_time_without_a_date_in_the_zone_is_refused(text: str) -> None:
    """West of Greenwich the first hours have none, east of it the last."""
    west, east = ZoneInfo("America/New_York"), ZoneInfo("Pacific/Kiritimati")
    assert read_edge(text, ZoneInfo("UTC"))
    with pytest.raises(ValueError, match="must be a date"):
        read_edge(text, west if text.startswith("0001") else east)


@given(start=TIMES, hours=st.integers(1, 366 * 24), zone=ZONES)
def test_days_tile_a_period(start: datetime, hours: int, zone: str) -> None:
    """Each begins where its date does, the first one with the period; one that the zone left out is empty."""
    period = Period(start, start + timedelta(hours=hours))
    days = days_of(period, ZoneInfo(zone))
    assert next(iter(days.values())) == start
    assert list(days.values()) == sorted(days.values())
    assert list(days)[-1] == period.end.astimezone(ZoneInfo(zone)).date()
    for (day, moment), following in zip(days.items(), [*list(days.values())[1:], None], strict=True):
        assert moment.astimezone(ZoneInfo(zone)).date() == day or moment == following


def test_a_day_that_a_zone_left_out_is_empty() -> None:
    """Samoa went from the 29th to the 31st."""
    apia = ZoneInfo("Pacific/Apia")
    days = days_of(Period(datetime(2011, 12, 29, tzinfo=apia), datetime(2012, 1, 1, tzinfo=apia)), apia)
    assert days[date(2011, 12, 30)] == days[date(2011, 12, 31)]
