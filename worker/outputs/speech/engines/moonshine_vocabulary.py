"""Moonshine's `tokenizer.bin`: which piece of text each token id stands for."""

from collections.abc import Sequence

START = 1
END = 2
_BLANK = "▁"
_TWO_BYTES = 128  # a length from here on takes two bytes: its low 7 bits, then 128 times the next one


def read_vocabulary(content: bytes) -> list[bytes]:
    """The tokens in the order of their ids: the length of each, then its UTF-8."""
    tokens = []
    at = 0
    while at < len(content):
        length = content[at]
        at += 1
        if length >= _TWO_BYTES:
            length = length - _TWO_BYTES + content[at] * _TWO_BYTES
            at += 1
        tokens.append(content[at : at + length])
        at += length
    return tokens


def spelled(ids: Sequence[int], vocabulary: Sequence[bytes]) -> str:
    """The text of tokens; those in angle brackets stand for none. A character may be spread over several tokens."""
    pieces = (vocabulary[one] for one in ids)
    text = b"".join(piece for piece in pieces if not (piece.startswith(b"<") and piece.endswith(b">")))
    return text.decode(errors="replace").replace(_BLANK, " ").strip()
