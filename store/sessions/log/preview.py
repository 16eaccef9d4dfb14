"""The line that lists show of a text."""

import regex

from sessions.texts.text_bounds import PREVIEW_CHARACTERS

_GRAPHEME = regex.compile(r"\X")  # what a reader sees as one character (UAX #29)


def preview(text: str) -> str:
    """`text` as one line of at most 200 code points; an emoji or an accented letter is whole or not there."""
    line = " ".join(text.split())
    if len(line) <= PREVIEW_CHARACTERS:
        return line
    end = 0
    for grapheme in _GRAPHEME.finditer(line):
        if grapheme.end() > PREVIEW_CHARACTERS:
            break
        end = grapheme.end()
    return line[: end or PREVIEW_CHARACTERS].rstrip()
