"""Which part of a stored object a request asks for, its conditions considered (RFC 9110 §13.1.5 and §14.2)."""

from datetime import datetime
from email.utils import format_datetime

from aiohttp import hdrs, web

from control_api.http.answers.envelope import RefusedRequestError
from control_api.outputs.recordings.byte_range import RangeNotSatisfiableError, byte_range


def asked_range(request: web.Request, *, size: int, etag: str | None, modified: datetime) -> tuple[int, int] | None:
    """The bytes [start, end); None: the whole.

    Args:
        size: of the object, in bytes.
        etag: its strong validator, quoted.
        modified: its Last-Modified, in UTC.

    Raises:
        RefusedRequestError: `range.invalid`.
    """
    if request.method == hdrs.METH_HEAD:
        return None
    condition = request.headers.get(hdrs.IF_RANGE)
    if condition is not None and condition not in (etag, http_date(modified)):
        return None
    try:
        return byte_range(request.headers.get(hdrs.RANGE), size)
    except RangeNotSatisfiableError:
        raise RefusedRequestError(
            "range.invalid", "the Range lies outside the file", {hdrs.CONTENT_RANGE: f"bytes */{size}"}
        ) from None


def known_to_client(request: web.Request, etag: str | None) -> bool:
    """Whether If-None-Match names the object as it is, so that the answer is 304 whatever Range says."""
    header = request.headers.get(hdrs.IF_NONE_MATCH)
    tags = [] if header is None else [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return etag is not None and etag in tags


def http_date(instant: datetime) -> str:
    """As in Last-Modified."""
    return format_datetime(instant, usegmt=True)
