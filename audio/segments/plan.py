"""What a recording is built from. The same plan makes the same bytes, whoever builds it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from audio.ranges import Range, merged_ranges
from audio.segments.gaps import UNRANKED, Gap
from audio.segments.segment_key import SegmentKey

Layout = Literal["mono", "stereo"]
"""mono: everybody in one channel. stereo: left the room, right what the worker made."""


OnPause = Literal["silence", "cut"]
"""What a paused stretch becomes in the file."""


@dataclass(frozen=True, slots=True)
class PlannedSegment:
    """A segment of the plan: its key, and the string by which `read` finds its bytes in storage.

    `gaps` and `absences` are those that it names, as far as they are known without its bytes.
    """

    key: SegmentKey
    storage_key: str
    gaps: tuple[Gap, ...] = ()
    absences: tuple[Range, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a recording comes from, as its file says: the session, and when sample 0 was."""

    session_id: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """Everything that decides a recording's bytes.

    The session has exactly `length_samples`. `cuts` are paused stretches [start, end): silent in the file, or left out
    of it (`on_pause`). `gaps` are those that only the planner knows (a lost host). `ranks` says by code which of two
    gaps is told where they overlap: the lower one. `origin` is told in the file. The order of `segments` makes no
    difference.
    """

    segments: tuple[PlannedSegment, ...]
    length_samples: int
    layout: Layout = "mono"
    cuts: tuple[Range, ...] = ()
    gaps: tuple[Gap, ...] = ()
    ranks: Mapping[str, int] = field(default_factory=lambda: UNRANKED)
    on_pause: OnPause = "silence"
    origin: Origin | None = None

    def __post_init__(self) -> None:
        if self.length_samples < 0 or self.layout not in ("mono", "stereo"):
            raise ValueError("a build plan needs length_samples >= 0 and a layout of mono or stereo")

    @property
    def num_channels(self) -> int:
        """Channels of the file."""
        return 2 if self.layout == "stereo" else 1

    @property
    def left_out(self) -> tuple[Range, ...]:
        """Stretches of the session that the file does not have, disjoint and in order."""
        return merged_ranges(self.cuts) if self.on_pause == "cut" else ()
