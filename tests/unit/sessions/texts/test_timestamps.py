"""Times as texts: RFC 3339, to the millisecond, in UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.texts.timestamps import format_timestamp, parse_timestamp

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30), timezones=OFFSETS))
def test_a_time_comes_back_to_the_millisecond(time: datetime) -> None:
    """Whatever its offset was, it is UTC, and what is shorter than a millisecond is cut off."""
    text = format_timestamp(time)

    assert text is not None
    assert text.endswith("Z")
    assert len(text) == len("2026-11-22T02:37:57.123Z")
    assert parse_timestamp(text) == time.replace(microsecond=time.microsecond // 1000 * 1000)
    assert parse_timestamp(text.lower()).tzinfo is UTC
    assert parse_timestamp(time.isoformat(timespec="seconds")) == time.replace(microsecond=0)


def test_no_time_is_no_text() -> None:
    """None stays None."""
    assert format_timestamp(None) is None


@pytest.mark.parametrize("text", ["", "2026-11-22", "2026-11-22T02:37:57", "2026-11-22T02:37Z", "20261122T023757Z"])
def test_other_texts_are_refused(text: str) -> None:
    """Without an offset a time means nothing."""
    with pytest.raises(ValueError, match=r"^not an RFC 3339 time with an offset$"):
        parse_timestamp(text)
