"""The name of a stored segment: everything that a build needs to know before it reads the bytes."""

import re
from dataclasses import dataclass
from typing import Self

_NAME = re.compile(r"(\d{6,})-([^/]+)/(\d{8,})-(\d{13,})-(\d{13,})-(\d{10,})-([0-9a-f]{8})\.seg", re.ASCII)


@dataclass(frozen=True, slots=True)
class SegmentKey:
    """Which segment this is, which samples [first_sample, last_sample) its audio spans, and what its bytes are.

    `crc32` and `size_bytes` are those of the whole file. A segment without audio has first_sample == last_sample.
    Raises ValueError for values that no name can carry.
    """

    epoch: int
    owner: str
    sequence: int
    first_sample: int
    last_sample: int
    crc32: int
    size_bytes: int

    def __post_init__(self) -> None:
        smallest = min(self.epoch, self.sequence, self.first_sample, self.size_bytes)
        if smallest < 0 or self.last_sample < self.first_sample or not 0 <= self.crc32 < 1 << 32:
            raise ValueError("a segment key has a value out of range")
        if not self.owner or "/" in self.owner:
            raise ValueError("a segment's owner is a non-empty text without a slash")

    @property
    def name(self) -> str:
        """The name below the session's folder; sorts by epoch, then sequence."""
        return (
            f"{self.epoch:06d}-{self.owner}/{self.sequence:08d}-{self.first_sample:013d}-{self.last_sample:013d}"
            f"-{self.size_bytes:010d}-{self.crc32:08x}.seg"
        )

    @property
    def has_audio(self) -> bool:
        """Whether the segment holds any samples."""
        return self.first_sample < self.last_sample

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read a name back; raises ValueError for anything that `name` would not have written."""
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError(f"not a segment's name: {name!r}")
        epoch, owner, sequence, first, last, size, crc = match.groups()
        key = cls(int(epoch), owner, int(sequence), int(first), int(last), int(crc, 16), int(size))
        if key.name != name:
            raise ValueError(f"not the canonical name of a segment: {name!r}")
        return key
