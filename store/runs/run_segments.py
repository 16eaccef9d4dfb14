"""What one run stored, as the database keeps it: known without asking the object storage for a list."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A segment that the object storage has taken.

    Attributes:
        name: of its object below the session's folder; it tells number, samples, size and CRC-32
            (`audio.segments.segment_key`).
        gaps: those that it names, (code, start_sample, end_sample, identity) each: without its bytes nobody else would
            know them. Without an identity nobody is heard.
        absences: when nobody was in the room, (start_sample, end_sample) each, likewise.
    """

    name: str
    gaps: tuple[tuple[str, int, int, str | None], ...] = ()
    absences: tuple[tuple[int, int], ...] = ()

    @property
    def document(self) -> list[Any]:
        """[name, [[code, start_sample, end_sample, identity], …], [[start_sample, end_sample], …]], as JSON.

        What an older release wrote ends after the gaps, and its gaps after their ends.
        """
        return [self.name, [list(gap) for gap in self.gaps], [list(absence) for absence in self.absences]]

    @classmethod
    def of(cls, document: list[Any]) -> Self:
        """Read `document` back.

        Raises:
            ValueError, TypeError: it is none.
        """
        name, gaps, absences = [*document, []][:3]
        return cls(
            str(name),
            tuple(_gap_of(*gap) for gap in gaps),
            tuple((int(start), int(end)) for start, end in absences),
        )


def _gap_of(code: Any, start: Any, end: Any, identity: Any = None) -> tuple[str, int, int, str | None]:
    return str(code), int(start), int(end), None if identity is None else str(identity)


@dataclass(frozen=True, slots=True)
class RunSegments:
    """The segments of one run, which are numbered from 1 to `count` without a hole.

    Attributes:
        count: how many were begun; one that is not in `stored` could not be written or was lost.
        stored: in any order.
    """

    count: int = 0
    stored: tuple[StoredSegment, ...] = ()

    @property
    def document(self) -> dict[str, Any]:
        """{count, stored}, as JSON."""
        return {"count": self.count, "stored": [segment.document for segment in self.stored]}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read `document` back."""
        return cls(document["count"], tuple(StoredSegment.of(one) for one in document["stored"]))
