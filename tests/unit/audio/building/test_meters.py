"""How loud each track is: the same whether its meter rested or not, and a track that has ended has none."""

from typing import Any, ClassVar
from weakref import WeakSet

import numpy as np
import pytest

from audio.building import meters
from audio.building.loudness import LoudnessMeter
from audio.building.meters import BuildMeters, RecordingLoudness
from audio.pcm import SAMPLE_RATE, Pcm
from audio.segments.track_tally import TrackLabel

SECONDS = 900


def _noise(seed: int, loudness: float) -> Pcm:
    """A bit more than a second, and no whole number of anything."""
    rng = np.random.default_rng(seed)
    return (loudness * rng.standard_normal(SAMPLE_RATE + 17)).astype(np.int16)


class _CountedMeter(LoudnessMeter):
    """One that is counted while it lives."""

    living: ClassVar = WeakSet["_CountedMeter"]()

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.living.add(self)


def _heard() -> tuple[RecordingLoudness, int]:
    """What is told of somebody who publishes a track each five seconds, and of ann, who speaks now and then.

    And how many tracks had a meter at once.
    """
    built, most = BuildMeters(SECONDS * SAMPLE_RATE, 1), 0
    for second in range(0, SECONDS - 2, 5):
        built.hear_track(TrackLabel("bob", sid=f"TR_{second}"), second * SAMPLE_RATE, _noise(second, 500 + second))
        if second in (0, 5, 200, 600, 605):
            built.hear_track(TrackLabel("ann", sid="TR_ann"), second * SAMPLE_RATE + 101, _noise(second, 4000 - second))
        most = max(most, len(_CountedMeter.living) - 1)  # the mix has one, too
    return _ended(built, SECONDS * SAMPLE_RATE), most


def test_a_meter_that_rested_tells_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """And there are only as many as tracks were heard in the last two minutes."""
    monkeypatch.setattr(meters, "LoudnessMeter", _CountedMeter)
    found, most = _heard()
    assert most <= 120 // 5 + 2
    monkeypatch.setattr(meters, "_RESTING_SAMPLES", SECONDS * SAMPLE_RATE)
    expected, all_of_them = _heard()
    assert found == expected
    assert len(found.tracks) == all_of_them == SECONDS // 5 + 1
    assert [one["identity"] for one in found.participants] == ["ann", "bob"]
    assert all(one["integrated_lufs"] is not None and one["true_peak_dbtp"] is not None for one in found.tracks)


@pytest.mark.parametrize("pause_seconds", [2, 300])
def test_who_comes_back_in_another_track_is_as_loud_as_in_one(pause_seconds: int) -> None:
    """Half a second loudly, later much longer and softer: neither track alone says how loud the participant is."""
    length = (pause_seconds + 20) * SAMPLE_RATE
    loud, soft = _noise(1, 3000)[: SAMPLE_RATE // 2], np.tile(_noise(2, 800), 10)
    told = []
    for sids in (("TR_1", "TR_1"), ("TR_1", "TR_2")):
        built = BuildMeters(length, 1)
        built.hear_track(TrackLabel("ann", sid=sids[0]), 0, loud)
        built.hear_track(TrackLabel("bob", sid="TR_bob"), pause_seconds * SAMPLE_RATE, soft)
        built.hear_track(TrackLabel("ann", sid=sids[1]), pause_seconds * SAMPLE_RATE, soft)
        told.append(_ended(built, length))
    one, two = told
    assert two.participants[0] == pytest.approx(one.participants[0], abs=0.1001)
    assert two.participants[1:] == one.participants[1:]
    assert {track["integrated_lufs"] for track in two.tracks}.isdisjoint({one.participants[0]["integrated_lufs"]})


def _ended(built: BuildMeters, length: int) -> RecordingLoudness:
    built.hear_mix(np.zeros((1, length), dtype=np.int16))
    return built.loudness()
