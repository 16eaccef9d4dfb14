"""Which part of a representation a request asks for (RFC 9110 §14.2)."""

import re

_ONE_RANGE = re.compile(r"([0-9]*)-([0-9]*)")
_DIGITS = 19  # more are beyond every size, and int() takes some thousands at most


class RangeNotSatisfiableError(Exception):
    """It lies outside, or says nothing."""


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """The bytes [start, end) that `Range` asks for; None: the whole, as for unknown units and several ranges.

    Raises:
        RangeNotSatisfiableError: nothing of it is there.
    """
    if header is None:
        return None
    unit, _, wanted = header.partition("=")
    if unit.strip().lower() != "bytes" or "," in wanted:
        return None
    found = _ONE_RANGE.fullmatch(wanted.strip())
    if found is None or not (found[1] or found[2]):
        raise RangeNotSatisfiableError
    if not found[1]:
        start, end = max(0, size - _number(found[2])), size
    else:
        start, end = _number(found[1]), min(size, _number(found[2]) + 1 if found[2] else size)
    if start >= end:
        raise RangeNotSatisfiableError
    return start, end


def _number(digits: str) -> int:
    return int(digits.lstrip("0")[:_DIGITS] or "0")
