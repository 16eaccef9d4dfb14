"""What is wrong with a bill, in words."""

MOST_SENTENCES = 20
"""Of one kind; a bill that is wrong everywhere needs no thousand to say so."""


def seconds(milliseconds: int) -> str:
    """`60.012 s`."""
    return f"{milliseconds // 1000}.{milliseconds % 1000:03} s"


class Sentences:
    """The first ones of a kind, and how many more there are."""

    def __init__(self, left_out: int = 0) -> None:
        self._sentences: list[str] = []
        self._left_out = left_out

    def add(self, sentence: str) -> None:
        """One more."""
        if len(self._sentences) < MOST_SENTENCES:
            self._sentences.append(sentence)
        else:
            self._left_out += 1

    def all(self) -> list[str]:
        """Those that are kept, and a last one about the others."""
        return [*self._sentences, *([f"… and {self._left_out} more like these"] if self._left_out else [])]
