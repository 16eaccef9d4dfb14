"""What a bill gives back: time that was billed, but is not in the recording through no fault of the customer, or in
which nobody was there to be recorded.

Nobody pays for more than the recording has of somebody. Its length without pauses, without the gaps whose fault is the
platform's or the transport's, and without absences is what may be billed; whatever the counter of billed time has
beyond that is given back, whatever the reason: absences first, as they were counted for sure, then gaps, the earliest
first, then pauses, which are hardly ever counted, and last what was counted beyond the recording's end. Everything that
goes in is public (the recording's length, gaps and absences, the rows of the bill), so whoever pays can compute it
again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sessions.codes import NO_MEDIA, NOT_RECORDED, lookup

_CREDITED = ("platform", "transport")
_ROUNDING_MS = 1  # the length of a recording is in whole milliseconds, rounded down


@dataclass(frozen=True, slots=True)
class Credit:
    """Milliseconds [from_ms, to_ms) that are given back, and the code of why.

    The range is in the times of the recording; of a recording that failed it is that of the counter.
    """

    code: str
    from_ms: int
    to_ms: int

    @property
    def milliseconds(self) -> int:
        """How many milliseconds are given back."""
        return self.to_ms - self.from_ms


def credits_of_recording(
    duration_ms: int, gaps: Iterable[Mapping[str, Any]], absences: Iterable[Mapping[str, Any]], billed_ms: int
) -> list[Credit]:
    """What is given back for a recording, in the order of its times.

    Args:
        duration_ms: its length.
        gaps: as a recording lists them: `start_ms`, `end_ms` and `code`; they may overlap.
        absences: when nobody was in the room: `start_ms` and `end_ms`; where a gap or a pause says more, that counts.
        billed_ms: the session's counter of billed time.
    """
    known = sorted((gap["start_ms"], gap["end_ms"], gap["code"]) for gap in gaps)
    faults = [(start, min(end, duration_ms), code, lookup(code).fault) for start, end, code in known]
    empty = [
        (absence["start_ms"], min(absence["end_ms"], duration_ms), NO_MEDIA)
        for absence in sorted(absences, key=lambda one: one["start_ms"])
    ]
    taken: list[tuple[int, int]] = []
    paused = _untaken([(start, end, code) for start, end, code, fault in faults if fault == "none"], taken)
    missing = _untaken([(start, end, code) for start, end, code, fault in faults if fault in _CREDITED], taken)
    absent = _untaken(empty, taken)
    recorded_ms = duration_ms - sum(credit.milliseconds for credit in paused + missing + absent)
    payable_ms = recorded_ms + _ROUNDING_MS if recorded_ms > 0 else 0
    beyond = Credit(NOT_RECORDED, duration_ms, duration_ms + billed_ms)
    given = _first([*absent, *missing, *paused, beyond], billed_ms - payable_ms)
    return sorted(given, key=_start)


def credits_of_failure(code: str | None, billed_ms: int) -> list[Credit]:
    """What is given back when there is no recording: everything, unless that is the customer's fault."""
    if code is None or billed_ms <= 0 or lookup(code).fault == "customer":
        return []
    return [Credit(code, 0, billed_ms)]


def covered_ms(ranges: Iterable[tuple[int, int]]) -> int:
    """How many milliseconds lie in at least one of the ranges [from, to)."""
    length, reached = 0, 0
    for start, end in sorted(ranges):
        length += max(end - max(start, reached), 0)
        reached = max(reached, end)
    return length


def _untaken(named: Iterable[tuple[int, int, str]], taken: list[tuple[int, int]]) -> list[Credit]:
    """What these ranges name that no earlier one has, in order of time; all of them are taken afterwards."""
    found: list[Credit] = []
    for start, end, code in named:
        found += [Credit(code, *part) for part in _without(start, end, taken)]
        taken.append((start, end))
    return sorted(found, key=_start)


def _start(credit: Credit) -> int:
    return credit.from_ms


def _first(missing: Sequence[Credit], milliseconds: int) -> list[Credit]:
    """So many milliseconds of these, from the first one on."""
    given: list[Credit] = []
    for credit in missing:
        if milliseconds <= 0:
            break
        part = Credit(credit.code, credit.from_ms, min(credit.to_ms, credit.from_ms + milliseconds))
        milliseconds -= part.milliseconds
        given.append(part)
    return given


def _without(start: int, end: int, taken: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The parts of [start, end) that lie in none of the ranges."""
    parts: list[tuple[int, int]] = []
    for first, last in sorted(taken):
        if last <= start:
            continue
        if first >= end:
            break
        if first > start:
            parts.append((start, first))
        start = max(start, last)
    if start < end:
        parts.append((start, end))
    return parts
