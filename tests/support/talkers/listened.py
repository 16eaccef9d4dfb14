"""What came out of a recorded track whose samples say when they were spoken."""

from dataclasses import dataclass, field

from audio.placing.timeline import Placed
from audio.ranges import Range
from tests.support.samples.receiver import PACKET_MS, STEP_MS

_LATE_MS = 100  # at rest, of what is placed


@dataclass
class Listened:
    """In milliseconds: when what was placed was spoken and where it lies, and the two kinds of gaps.

    A sample's value is the number of the packet that it came in; zero is silence.
    """

    places: dict[int, int] = field(default_factory=dict)
    made_up: list[Range] = field(default_factory=list)
    undeciphered: list[Range] = field(default_factory=list)

    def take(self, placed: list[Placed], made_up: list[Range], undeciphered: Range | None) -> None:
        """Everything that is decided."""
        for one in placed:
            for index in range(0, len(one.pcm), 48 * STEP_MS):
                if one.pcm[index] > 0:
                    self.places[int(one.pcm[index]) * PACKET_MS] = (one.start_sample + index) // 48
        self.made_up += [(start // 48, end // 48) for start, end in made_up]
        if undeciphered is not None:
            self.undeciphered.append((undeciphered[0] // 48, undeciphered[1] // 48))

    def displaced(self, late_ms: int = _LATE_MS) -> list[int]:
        """When that was spoken which does not lie there."""
        return [spoken_ms for spoken_ms, at_ms in self.places.items() if abs(at_ms - spoken_ms) > late_ms]
