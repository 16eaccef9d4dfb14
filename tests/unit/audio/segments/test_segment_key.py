"""A segment's name tells everything, and nothing else passes for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.segments.segment_key import SegmentKey

KEY = SegmentKey(2, "0b7c-aa", 17, 480_000, 960_000, 0xDEADBEEF, 1_920_123)
NAME = "000002-0b7c-aa/00000017-0000000480000-0000000960000-0001920123-deadbeef.seg"


def test_a_name_carries_all_fields() -> None:
    """Epoch, owner, sequence, span, size and sum, padded so that names sort."""
    assert KEY.name == NAME
    assert SegmentKey.parse(NAME) == KEY


@given(
    numbers=st.tuples(*[st.integers(0, 10**14)] * 5),
    owner=st.text(st.sampled_from("a9-_. é\n"), min_size=1),
    crc=st.integers(0, 2**32 - 1),
)
def test_any_key_comes_back_from_its_name(numbers: tuple[int, ...], owner: str, crc: int) -> None:
    """Numbers that outgrow their padding and odd owners too."""
    epoch, sequence, first, length, size = numbers
    key = SegmentKey(epoch, owner, sequence, first, first + length, crc, size)

    assert SegmentKey.parse(key.name) == key


@pytest.mark.parametrize(
    "name",
    [
        "",
        NAME.removesuffix(".seg"),
        NAME + "#1",
        "ses_1/" + NAME,
        NAME.replace("deadbeef", "DEADBEEF"),
        NAME.replace("0000000960000", "0000000100000"),
        "0" + NAME,
        NAME.replace("/", "-"),
        NAME.replace("0001920123", "000192012٣"),
    ],
)
def test_other_names_are_refused(name: str) -> None:
    """Partial uploads, other folders and what no key would have written."""
    with pytest.raises(ValueError, match="segment"):
        SegmentKey.parse(name)


@pytest.mark.parametrize(
    "fields",
    [
        (-1, "o", 0, 0, 0, 0, 0),
        (0, "o", -1, 0, 0, 0, 0),
        (0, "o", 0, -1, 0, 0, 0),
        (0, "o", 0, 5, 4, 0, 0),
        (0, "o", 0, 0, 0, -1, 0),
        (0, "o", 0, 0, 0, 1 << 32, 0),
        (0, "o", 0, 0, 0, 0, -1),
        (0, "a/b", 0, 0, 0, 0, 0),
        (0, "", 0, 0, 0, 0, 0),
    ],
)
def test_impossible_keys_are_refused(fields: tuple[int, str, int, int, int, int, int]) -> None:
    """A key that no name can carry isn't made."""
    with pytest.raises(ValueError, match="segment"):
        SegmentKey(*fields)
