"""What a recording is built from: frozen once into a database row, so that every builder makes the same bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from audio.ranges import Range
from audio.segments.gaps import Gap
from audio.segments.segment_key import SegmentKey

Layout = Literal["mono", "stereo"]
"""mono: everybody in one channel. stereo: left the room, right what the worker made."""


OnPause = Literal["silence", "cut"]
"""What a paused stretch becomes in the file."""


@dataclass(frozen=True, slots=True)
class PlannedSegment:
    """A segment of the plan: its key, and the string by which `read` finds its bytes in storage."""

    key: SegmentKey
    storage_key: str


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """Everything that decides a recording's bytes.

    The session has exactly `length_samples`. `cuts` are paused stretches [start, end): silent in the file, or left out
    of it (`on_pause`). `gaps` are those that only the planner knows (a lost host). The order of `segments` makes no
    difference.
    """

    segments: tuple[PlannedSegment, ...]
    length_samples: int
    layout: Layout = "mono"
    cuts: tuple[Range, ...] = ()
    gaps: tuple[Gap, ...] = ()
    on_pause: OnPause = "silence"

    def __post_init__(self) -> None:
        if self.length_samples < 0 or self.layout not in ("mono", "stereo"):
            raise ValueError("a build plan needs length_samples >= 0 and a layout of mono or stereo")

    @property
    def num_channels(self) -> int:
        """Channels of the file."""
        return 2 if self.layout == "stereo" else 1

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {
            "segments": [{"name": one.key.name, "storage_key": one.storage_key} for one in self.segments],
            "length_samples": self.length_samples,
            "layout": self.layout,
            "cuts": [list(cut) for cut in self.cuts],
            "gaps": [[gap.start_sample, gap.end_sample, gap.code] for gap in self.gaps],
            "on_pause": self.on_pause,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` returned; raises ValueError or KeyError for anything else."""
        return cls(
            segments=tuple(
                PlannedSegment(SegmentKey.parse(one["name"]), one["storage_key"]) for one in document["segments"]
            ),
            length_samples=document["length_samples"],
            layout=document["layout"],
            cuts=tuple((start, end) for start, end in document["cuts"]),
            gaps=tuple(Gap(start, end, code) for start, end, code in document["gaps"]),
            on_pause=document.get("on_pause", "silence"),
        )
