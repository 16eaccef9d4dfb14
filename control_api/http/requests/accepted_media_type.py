"""Which of the media types that an operation serves the client likes best (RFC 9110 §12.5.1)."""

from collections.abc import Sequence

from aiohttp import hdrs
from multidict import MultiMapping

from sessions.errors import ParleyError


def accepted_media_type(headers: MultiMapping[str], served: Sequence[str]) -> str:
    """The first of `served` with the highest quality; without `Accept`, the first.

    Raises:
        ParleyError: `not_acceptable`.
    """
    header = ",".join(headers.getall(hdrs.ACCEPT, []))
    if not header.strip():
        return served[0]
    ranges = [_read(part) for part in header.split(",") if part.strip()]
    best = max(served, key=lambda media_type: _quality(media_type, ranges))
    if _quality(best, ranges) <= 0:
        raise ParleyError("not_acceptable", f"this operation serves {', '.join(served)}")
    return best


def _read(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
    return name, quality if 0 <= quality <= 1 else 0.0


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The most specific range decides."""
    for pattern in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        for name, quality in ranges:
            if name == pattern:
                return quality
    return 0.0
