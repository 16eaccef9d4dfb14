"""How loud each track is: the same whether its meter rested or not, and a track that has ended has none."""

import numpy as np
import pytest

from audio.building import meters
from audio.building.meters import BuildMeters, TrackLoudness
from audio.pcm import SAMPLE_RATE, Pcm
from audio.segments.track_tally import TrackLabel

SECONDS = 900


def _noise(seed: int, loudness: float) -> Pcm:
    """A bit more than a second, and no whole number of anything."""
    rng = np.random.default_rng(seed)
    return (loudness * rng.standard_normal(SAMPLE_RATE + 17)).astype(np.int16)


def _heard() -> tuple[list[TrackLoudness], int]:
    """What is told of somebody who publishes a track each five seconds, and of ann, who speaks now and then."""
    built, most = BuildMeters(SECONDS * SAMPLE_RATE, 1), 0
    for second in range(0, SECONDS - 2, 5):
        built.hear_track(TrackLabel("bob", sid=f"TR_{second}"), second * SAMPLE_RATE, _noise(second, 500 + second))
        if second in (0, 5, 200, 600, 605):
            built.hear_track(TrackLabel("ann", sid="TR_ann"), second * SAMPLE_RATE + 101, _noise(second, 4000 - second))
        most = max(most, built.num_live)
    return list(built.loudness_of_tracks()), most


def test_a_meter_that_rested_tells_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """And there are only as many as tracks were heard in the last two minutes."""
    found, most = _heard()
    assert most <= 120 // 5 + 2
    monkeypatch.setattr(meters, "_RESTING_SAMPLES", SECONDS * SAMPLE_RATE)
    expected, all_of_them = _heard()
    assert found == expected
    assert len(found) == all_of_them == SECONDS // 5 + 1
    assert all(one["integrated_lufs"] is not None and one["true_peak_dbtp"] is not None for one in found)
