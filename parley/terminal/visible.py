"""Customers name keys, rooms and themselves: no name makes another line, or commands the terminal."""


def visible(text: str) -> str:
    """`text` on one line, each unprintable character as U+FFFD."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
