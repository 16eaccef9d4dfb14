"""Previews of the first and the last line: cut to 200 characters, without breaking one."""

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from store.sessions.log.preview import preview

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"  # one character of five code points
FLAG = "\U0001f1e9\U0001f1ea"
ACCENTED = "e\u0301\u0323"


@pytest.mark.parametrize("character", [FAMILY, FLAG, ACCENTED, "\U0001f44d\U0001f3fd", "❤\ufe0f", "각", "क्षि"])
@pytest.mark.parametrize("before", range(196, 201))
def test_a_character_is_whole_or_not_there(character: str, before: int) -> None:
    """Wherever the 200th code point falls within it."""
    shown = preview("x" * before + character * 3)
    assert len(shown) <= 200
    characters = regex.findall(r"\X", shown)
    assert characters[:before] == ["x"] * before
    assert set(characters[before:]) <= {character}


def test_white_space_becomes_one_line() -> None:
    """Nothing else is changed, up to 200 characters."""
    assert preview("  a\n\tb  c ") == "a b c"
    assert preview("y" * 200) == "y" * 200
    assert preview("y" * 201) == "y" * 200
    assert preview("y" * 199 + " z") == "y" * 199


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
@example("e" + "\u0301" * 500)
def test_a_preview_is_a_beginning_of_at_most_200_code_points(text: str) -> None:
    """Also of texts that are one giant character."""
    shown = preview(text)
    line = " ".join(text.split())
    assert line.startswith(shown)
    assert len(shown) <= 200
    assert bool(shown) == bool(line)
