"""Who is in a recording, and how much of each."""

from dataclasses import dataclass, field
from typing import TypedDict

from audio.pcm import SAMPLES_PER_FRAME
from audio.segments.segment_key import SegmentKey
from audio.segments.segments import SegmentRecord, Side


class TrackSummary(TypedDict):
    """One track of the finished file.

    `first_sample` and `samples` speak of what is in the file; `frames` are whole frames of 10 ms.
    """

    identity: str
    name: str
    sid: str
    side: Side
    first_sample: int
    samples: int
    frames: int


@dataclass(frozen=True, slots=True)
class TrackLabel:
    """What a TRACK record says; the defaults stand for a track whose record is lost.

    Attributes:
        name: the track's own.
        speaker: the participant's name to show; who changes it in the middle of a session stays the same track.
    """

    identity: str = ""
    name: str = ""
    sid: str = ""
    side: Side = "room"
    speaker: str = field(default="", compare=False)


@dataclass(slots=True)
class _Tally:
    first_sample: int
    samples: int = 0


@dataclass(slots=True)
class TrackTally:
    """Learns labels from TRACK records and adds up what each label contributed.

    Track numbers belong to one run (epoch and owner); a track that several runs recorded is one in the summary.
    """

    _labels: dict[tuple[int, str, int], TrackLabel] = field(default_factory=dict)
    _tallies: dict[TrackLabel, _Tally] = field(default_factory=dict)

    def learn(self, key: SegmentKey, record: SegmentRecord) -> None:
        """Take a TRACK record of the segment `key`."""
        document = record.document
        side: Side = "worker" if document.get("side") == "worker" else "room"
        identity, name, sid, speaker = (
            str(document.get(field_name, "")) for field_name in ("identity", "name", "sid", "speaker")
        )
        self._labels[key.epoch, key.owner, record.track] = TrackLabel(identity, name, sid, side, speaker)

    def label(self, key: SegmentKey, track: int) -> TrackLabel:
        """Return what is known of a track of the segment `key`."""
        return self._labels.get((key.epoch, key.owner, track), TrackLabel())

    def count(self, label: TrackLabel, start_sample: int, samples: int) -> None:
        """Note that `samples` from `start_sample` on went into the file."""
        tally = self._tallies.setdefault(label, _Tally(start_sample))
        tally.first_sample = min(tally.first_sample, start_sample)
        tally.samples += samples

    def summary(self) -> list[TrackSummary]:
        """Return the tracks that are in the file, by first sample."""
        found = [
            TrackSummary(
                identity=label.identity,
                name=label.name,
                sid=label.sid,
                side=label.side,
                first_sample=tally.first_sample,
                samples=tally.samples,
                frames=tally.samples // SAMPLES_PER_FRAME,
            )
            for label, tally in self._tallies.items()
        ]
        return sorted(found, key=lambda track: (track["first_sample"], track["identity"], track["sid"], track["side"]))
