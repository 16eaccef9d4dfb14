"""A file per participant: all of one length, each with one voice, in its place."""

from pathlib import Path

import numpy as np
import soundfile

from audio.building.build import build_recording, build_tracks
from audio.pcm import SAMPLE_RATE, Pcm
from tests.support.samples.stored_segments import StoredSegments, audio, level, noise, track

LENGTH = 4 * SAMPLE_RATE + 7


def _samples(path: Path) -> Pcm:
    samples, _ = soundfile.read(path, dtype="int16", always_2d=True)
    assert samples.shape[1] == 1
    pcm: Pcm = samples[:, 0]
    return pcm


def test_each_participant_has_a_file_of_the_whole_length(tmp_path: Path) -> None:
    """Bit for bit where it spoke, silent elsewhere; added up they are the mix. Two tracks of one are one file."""
    segments = StoredSegments()
    ann, bob = noise(1, SAMPLE_RATE) // 4, level(500, SAMPLE_RATE)
    segments.store(track(1, "ann"), track(2, "bob"), audio(0, ann, 1), audio(24_000, bob, 2))
    segments.store(track(1, "ann"), audio(3 * SAMPLE_RATE, ann, 1), sequence=2)
    segments.store(track(3, "ann"), audio(3 * SAMPLE_RATE, bob, 3), sequence=3)
    plan = segments.plan(LENGTH, layout="stereo")
    found = build_tracks(plan, segments.__getitem__, {name: tmp_path / name for name in ("ann", "bob")})
    assert found == {"ann": 2 * SAMPLE_RATE + SAMPLE_RATE, "bob": SAMPLE_RATE}
    expected = {name: np.zeros(LENGTH, dtype=np.int16) for name in ("ann", "bob")}
    expected["ann"][:SAMPLE_RATE] = ann
    expected["ann"][3 * SAMPLE_RATE : 4 * SAMPLE_RATE] = ann + bob
    expected["bob"][24_000 : 24_000 + SAMPLE_RATE] = bob
    for name, samples in expected.items():
        assert np.array_equal(_samples(tmp_path / name), samples), name
    build_recording(segments.plan(LENGTH), segments.__getitem__, tmp_path / "mix")
    assert np.array_equal(_samples(tmp_path / "mix"), expected["ann"] + expected["bob"])


def test_what_the_mix_lacks_the_participants_lack(tmp_path: Path) -> None:
    """A pause that is cut out shortens all; a segment that is gone is silence in all."""
    segments = StoredSegments()
    segments.store(track(1, "ann"), audio(0, level(9, SAMPLE_RATE)))
    gone = segments.store(track(1, "ann"), audio(2 * SAMPLE_RATE, level(9, SAMPLE_RATE)))
    del segments[gone.storage_key]
    plan = segments.plan(LENGTH, cuts=((SAMPLE_RATE // 2, SAMPLE_RATE),), on_pause="cut")
    build_tracks(plan, segments.__getitem__, {"ann": tmp_path / "ann"})
    build_recording(plan, segments.__getitem__, tmp_path / "mix")
    assert np.array_equal(_samples(tmp_path / "ann"), _samples(tmp_path / "mix"))
    assert len(_samples(tmp_path / "ann")) == LENGTH - SAMPLE_RATE // 2
