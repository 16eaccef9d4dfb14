"""How many words of a text were understood wrongly."""

import re

_NOT_A_WORD = re.compile(r"[^a-z' ]+")


def word_errors(said: str, understood: str) -> tuple[int, int]:
    """How many words differ (substituted, left out, added), and how many were said; capitals and marks don't count."""
    expected, actual = _words(said), _words(understood)
    row = list(range(len(actual) + 1))
    for number, word in enumerate(expected, start=1):
        before, row[0] = row[0], number
        for at, other in enumerate(actual, start=1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (word != other))
    return row[-1], len(expected)


def _words(text: str) -> list[str]:
    plain = _NOT_A_WORD.sub(" ", text.lower().replace("mr.", "mister"))
    return plain.split()
