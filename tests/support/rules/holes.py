"""Which gaps of a recording a test caused, and which ones the machine that it runs on."""

from collections.abc import Iterable
from typing import Any

_SHORT_MS = 500


def holes(gaps: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """All but short ones of audio that came too late: a busy machine makes some. That they are true is looked at, too.

    Args:
        gaps: as a recording lists them.
    """
    return [gap for gap in gaps if not _is_short(gap)]


def short_ms(gaps: Iterable[dict[str, Any]]) -> int:
    """How long those are that are left out."""
    return sum(gap["end_ms"] - gap["start_ms"] for gap in gaps if _is_short(gap))


def _is_short(gap: dict[str, Any]) -> bool:
    return bool(gap["code"] == "gap.concealed" and gap["end_ms"] - gap["start_ms"] <= _SHORT_MS)
