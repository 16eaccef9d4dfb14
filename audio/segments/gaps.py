"""Stretches of a recording that hold no true audio, each with the code that says why."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from audio.pcm import SAMPLE_RATE
from audio.ranges import Range, kept_ranges, merged_ranges, position_without

GAP_STORAGE = "gap.storage"
"""A stored segment is missing or damaged: the platform's fault."""

GAP_PAUSED = "gap.paused"
"""The customer paused: nothing is missing, nothing may be there."""

UNRANKED: Mapping[str, int] = {GAP_PAUSED: 0, GAP_STORAGE: 1}
"""Ranks of the codes that this package knows: where gaps overlap, a pause is listed before what the storage lost."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples [start_sample, end_sample) of the session's clock, and a code like `gap.rejoin`.

    `identity` is the participant who is not heard, while others may be; None: nobody is.
    """

    start_sample: int
    end_sample: int
    code: str
    identity: str | None = None


class GapMs(TypedDict):
    """A gap as documents show it, in whole milliseconds (start rounded down, end up); with an identity, of one only."""

    start_ms: int
    end_ms: int
    code: str
    identity: NotRequired[str]


def cut_gaps_in_ms(
    gaps: Iterable[Gap], length_samples: int, cuts: Sequence[Range], ranks: Mapping[str, int] = UNRANKED
) -> list[GapMs]:
    """`gaps_in_ms` for a file that the cuts were taken out of: all times are the file's.

    A cut itself is then a gap without length, where it was; unless the file has a bit of that pause (the recorder
    resumed late), which is then the one gap of it.
    """
    moved = [
        Gap(position_without(gap.start_sample, cuts), position_without(gap.end_sample, cuts), gap.code, gap.identity)
        for gap in gaps
    ]
    found = gaps_in_ms(moved, position_without(length_samples, cuts), ranks)
    for start, _ in cuts:
        at_ms = position_without(start, cuts) * 1000 // SAMPLE_RATE
        if not any(gap["code"] == GAP_PAUSED and gap["start_ms"] <= at_ms <= gap["end_ms"] for gap in found):
            found.append(GapMs(start_ms=at_ms, end_ms=at_ms, code=GAP_PAUSED))
    return sorted(found, key=_order)


def gaps_in_ms(gaps: Iterable[Gap], length_samples: int, ranks: Mapping[str, int] = UNRANKED) -> list[GapMs]:
    """Clip gaps to [0, length_samples), merge those of one kind that overlap or touch, sort by start, end, code.

    Gaps with the same code and the same identity (or none) are of one kind. In the result, gaps without an identity do
    not overlap, nor do those of one identity: where several name the same time, the one with the lowest rank keeps it.
    A gap of an identity may lie in one of everybody, as both are true.

    Args:
        ranks: by code; codes without one come last.
    """
    by_kind: dict[tuple[str, str | None], list[Range]] = {}
    for gap in gaps:
        clipped = (max(gap.start_sample, 0), min(gap.end_sample, length_samples))
        by_kind.setdefault((gap.code, gap.identity), []).append(clipped)
    found = [
        _in_ms(Gap(start, end, code, identity))
        for (code, identity), ranges in by_kind.items()
        for start, end in merged_ranges(ranges)
    ]
    return sorted(_disjoint(found, ranks), key=_order)


def unnamed_ms(lost: Iterable[Range], left_out: Sequence[Range], named: Iterable[Mapping[str, Any]]) -> int:
    """How many milliseconds of what is lost no `gap.storage` of a recording covers.

    A gap with another code, or a `gap.storage` with an identity, covers nothing: others may have been heard then.

    Args:
        lost: samples of the session's clock.
        left_out: what the recording's file leaves out, disjoint and in order.
        named: the recording's gaps, in the file's times.
    """
    known = merged_ranges(
        (gap["start_ms"], gap["end_ms"]) for gap in named if gap["code"] == GAP_STORAGE and not gap.get("identity")
    )
    missing = merged_ranges((position_without(start, left_out), position_without(end, left_out)) for start, end in lost)
    gaps = [_in_ms(Gap(start, end, GAP_STORAGE)) for start, end in missing]
    return sum(end - start for gap in gaps for start, end in kept_ranges(gap["start_ms"], gap["end_ms"], known))


def _disjoint(gaps: Iterable[GapMs], ranks: Mapping[str, int]) -> Iterator[GapMs]:
    """The part of each gap that no gap of a lower rank names for the same participant, or for everybody."""
    last = max(ranks.values(), default=0) + 1
    said: dict[str | None, Sequence[Range]] = {}
    for gap in sorted(gaps, key=lambda gap: (ranks.get(gap["code"], last), _order(gap))):
        identity, whole = gap.get("identity"), (gap["start_ms"], gap["end_ms"])
        taken = said.get(identity, ())
        for start_ms, end_ms in kept_ranges(*whole, taken):
            yield {**gap, "start_ms": start_ms, "end_ms": end_ms}
        said[identity] = merged_ranges([*taken, whole])


def _in_ms(gap: Gap) -> GapMs:
    start, end = gap.start_sample * 1000 // SAMPLE_RATE, -(-gap.end_sample * 1000 // SAMPLE_RATE)
    found = GapMs(start_ms=start, end_ms=end, code=gap.code)
    return found if gap.identity is None else {**found, "identity": gap.identity}


def _order(gap: GapMs) -> tuple[int, int, str, str]:
    return gap["start_ms"], gap["end_ms"], gap["code"], gap.get("identity", "")
