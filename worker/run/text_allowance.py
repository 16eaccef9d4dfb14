"""How many texts of its room a run logs, so that a flood takes no memory and no database from other sessions."""

MOST_AT_ONCE = 256
MOST_CHARACTERS = 10_000_000  # a hundred hours of speech; 10 to 40 MB
LEAST_CHARACTERS = 100  # a text counts as at least so many: at most 100,000 texts


class TextAllowance:
    """Counts the texts under way, and the characters of those that were logged."""

    def __init__(self) -> None:
        self._under_way = 0
        self._characters = 0

    def begin(self) -> bool:
        """Whether another text may be read; if so, `end` is called afterwards."""
        if self._under_way >= MOST_AT_ONCE or self._characters + LEAST_CHARACTERS > MOST_CHARACTERS:
            return False
        self._under_way += 1
        return True

    def spend(self, text: str) -> bool:
        """Whether this text may be logged, which counts it."""
        characters = max(len(text), LEAST_CHARACTERS)
        if self._characters + characters > MOST_CHARACTERS:
            return False
        self._characters += characters
        return True

    def end(self) -> None:
        """A text was logged or given up."""
        self._under_way -= 1
