"""Ranges by RFC 9110 §14.2."""

import pytest

from control_api.outputs.recordings.byte_range import RangeNotSatisfiableError, byte_range


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=2-5", (2, 6)),
        ("BYTES=2-5", (2, 6)),
        ("bytes=5-", (5, 10)),
        ("bytes=5-999999", (5, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-999", (0, 10)),
        ("bytes=0-99999999999999999999", (0, 10)),
        ("bytes=-" + "9" * 5000, (0, 10)),
        ("bytes=" + "0" * 5000 + "2-" + "0" * 30 + "5", (2, 6)),
        ("lines=1-2", None),
        ("bytes=0-1,4-5", None),
    ],
)
def test_what_a_range_asks_for(header: str | None, wanted: tuple[int, int] | None) -> None:
    """Of ten bytes; what need not be understood is ignored."""
    assert byte_range(header, 10) == wanted


@pytest.mark.parametrize(
    "header",
    [
        "bytes=10-",
        "bytes=10-20",
        "bytes=-0",
        "bytes=5-4",
        "bytes=" + "9" * 5000 + "-",
        "bytes=٣-٤",
        "bytes=x",
        "bytes=-",
        "bytes=",
    ],
)
def test_a_range_of_which_nothing_is_there_is_refused(header: str) -> None:
    """And so is one that says nothing."""
    with pytest.raises(RangeNotSatisfiableError):
        byte_range(header, 10)


def test_no_range_of_nothing_is_there() -> None:
    """An empty file has no last byte."""
    with pytest.raises(RangeNotSatisfiableError):
        byte_range("bytes=-1", 0)
