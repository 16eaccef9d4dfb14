"""Gaps that lasted when their run was killed. A recorder writes down what an open gap has lost so far once a second or
so, and since when there may be an outage; what was lost from then to the kill is told by nobody else.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from audio.pcm import SAMPLE_RATE
from audio.segments.gaps import Gap
from audio.segments.segment_key import SegmentKey
from audio.segments.segments import SegmentRecord

_LONGEST_SAMPLES = 15 * SAMPLE_RATE  # an outage is sure before that


@dataclass(slots=True)
class LastingGaps:
    """The last of each kind that each run has written down; a kind is a code, and a participant or everybody."""

    _last: dict[tuple[int, str, str, str | None], SegmentRecord] = field(default_factory=dict)

    def take(self, key: SegmentKey, record: SegmentRecord) -> None:
        """Take note of a GAP record of the segment with this key."""
        document = record.document
        kind = (key.epoch, key.owner, document["code"], document.get("identity"))
        last = self._last.get(kind)
        if last is None or last.sequence < record.sequence:
            self._last[kind] = record

    def rests(self, unrecorded: Iterable[Gap]) -> Iterator[Gap]:
        """What else is lost: from the last time to where a stretch begins that nobody recorded."""
        begins = sorted(gap.start_sample for gap in unrecorded if gap.identity is None)
        for (_, _, code, identity), record in self._last.items():
            document: dict[str, Any] = record.document
            since = record.end_sample
            until = next((begin for begin in begins if begin > since), None)
            if document.get("lasts") and until is not None and until - since <= _LONGEST_SAMPLES:
                yield Gap(since, until, code, identity)
