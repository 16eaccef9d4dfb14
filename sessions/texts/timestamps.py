"""RFC 3339 times as the API prints and reads them: UTC, `Z`, three decimals."""

import re
from datetime import UTC, datetime, timedelta

UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

EXPECTED_TIME = "must be an ISO 8601 UTC time such as 2026-11-22T02:37:57.123Z"

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")


def format_timestamp(value: datetime | None) -> str | None:
    """`2026-11-22T02:37:57.123Z`; None stays None."""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> datetime:
    """An aware UTC time from RFC 3339 text.

    Raises:
        ValueError: it is no such text, or has no offset.
    """
    if not _RFC3339.fullmatch(text):
        raise ValueError("not an RFC 3339 time with an offset")
    return datetime.fromisoformat(text.upper().replace("Z", "+00:00")).astimezone(UTC)
