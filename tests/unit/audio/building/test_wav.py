"""The header of the file: who reads it finds samples, session and time."""

import io
import struct
import wave
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
import soundfile

from audio.building.build import build_recording
from audio.building.wav import WavLabel, open_wav
from audio.pcm import SAMPLE_RATE, Pcm
from audio.segments.plan import Origin
from tests.support.samples.stored_segments import StoredSegments, audio, noise, track

SESSION = "sess_01KB2F5W2Q4V9M7T8Y6R3N1C0A"
ORIGIN = Origin(SESSION, datetime(2026, 11, 29, 23, 25, 33, 250_000, tzinfo=UTC))


def written(pcm: Pcm, label: WavLabel | None) -> bytes:
    """A file with these samples of shape (n, channels)."""
    file = io.BytesIO()
    with open_wav(file, len(pcm), pcm.shape[1], label) as wav:
        for start in range(0, len(pcm), 1000):
            wav.write(pcm[start : start + 1000])
    return file.getvalue()


def chunks_of(data: bytes) -> dict[bytes, bytes]:
    """Name → content, by walking as readers do; the sizes add up to the file's."""
    assert (data[:4], data[8:12]) == (b"RIFF", b"WAVE")
    assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
    found, position = {}, 12
    while position < len(data):
        size = struct.unpack("<I", data[position + 4 : position + 8])[0]
        found[data[position : position + 4]] = data[position + 8 : position + 8 + size]
        position += 8 + size + size % 2
    assert position == len(data)
    return found


@pytest.mark.parametrize("label", [None, WavLabel(ORIGIN), WavLabel(ORIGIN, "Zoë")])
@pytest.mark.parametrize("num_channels", [1, 2])
def test_readers_find_the_samples_behind_any_header(num_channels: int, label: WavLabel | None) -> None:
    """Python's own, libsndfile, and one that walks the chunks."""
    pcm = noise(1, 2501 * num_channels).reshape(2501, num_channels)
    data = written(pcm, label)
    with wave.open(io.BytesIO(data)) as opened:
        facts = (opened.getnchannels(), opened.getsampwidth(), opened.getframerate(), opened.getnframes())
        assert facts == (num_channels, 2, SAMPLE_RATE, 2501)
        assert opened.readframes(3000) == pcm.tobytes()
    samples, rate = soundfile.read(io.BytesIO(data), dtype="int16", always_2d=True)
    assert rate == SAMPLE_RATE
    assert np.array_equal(samples, pcm)
    assert chunks_of(data)[b"data"] == pcm.tobytes()


def test_editors_find_session_and_time() -> None:
    """bext as EBU Tech 3285 lays it out: samples since midnight say where the file begins."""
    bext = chunks_of(written(noise(1, 10)[:, None], WavLabel(ORIGIN)))[b"bext"]
    description, originator, reference, date, clock, samples, version = struct.unpack("<256s32s32s10s8sQH", bext[:348])
    assert description.rstrip(b"\0").decode() == f"session {SESSION}, started 2026-11-29T23:25:33.250Z"
    assert (originator.rstrip(b"\0"), reference.rstrip(b"\0").decode()) == (b"Parley", SESSION)
    assert (date, clock, version) == (b"2026-11-29", b"23:25:33", 1)
    assert samples == (23 * 3600 + 25 * 60 + 33) * SAMPLE_RATE + SAMPLE_RATE // 4
    assert bext[602:] == b"A=PCM,F=48000,W=16,M=mono,T=Parley\r\n"


def test_players_find_a_name_and_a_date() -> None:
    """INFO, as libsndfile reads it: a participant's file has its identity."""
    pcm = noise(1, 10)[:, None]
    for label, name in ((WavLabel(ORIGIN), SESSION), (WavLabel(ORIGIN, "Zoë"), f"Zoë ({SESSION})")):
        with soundfile.SoundFile(io.BytesIO(written(pcm, label))) as opened:
            told = opened.copy_metadata()
        assert (told["title"], told["date"], told["software"]) == (name, "2026-11-29", "Parley")
        assert told["comment"].startswith(f"session {SESSION}, started 2026-11-29T23:25:33.250Z")


def test_the_time_is_utc_wherever_the_session_was_started() -> None:
    """A stamp with another offset is the same instant."""
    there = Origin(SESSION, ORIGIN.started_at.astimezone(timezone(timedelta(hours=-9))))
    pcm = noise(1, 10)[:, None]
    assert written(pcm, WavLabel(there)) == written(pcm, WavLabel(ORIGIN))


def test_beyond_32_bits_the_header_tells_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """RF64 with bext and INFO; the limit is lowered here."""
    monkeypatch.setattr("audio.building.wav.WAV_LIMIT_BYTES", 1000)
    pcm = noise(1, 1002).reshape(501, 2)
    data = written(pcm, WavLabel(ORIGIN))
    with soundfile.SoundFile(io.BytesIO(data)) as opened:
        assert (opened.format, opened.frames, opened.channels) == ("RF64", 501, 2)
        assert opened.copy_metadata()["title"] == SESSION
        assert np.array_equal(opened.read(dtype="int16"), pcm)
    assert struct.unpack("<QQQ", data[20:44]) == (len(data) - 8, pcm.nbytes, 501)


def test_a_recording_with_an_origin_says_it_and_one_of_another_length_is_none() -> None:
    """From the plan into the file; a writer that gives too little fails."""
    segments = StoredSegments()
    segments.store(track(), audio(0, noise(1, 480)))
    file = io.BytesIO()
    build_recording(segments.plan(480, origin=ORIGIN), segments.__getitem__, file)
    assert SESSION.encode() in chunks_of(file.getvalue())[b"bext"]
    with pytest.raises(OSError, match="another length"), open_wav(io.BytesIO(), 11, 1) as wav:
        wav.write(noise(1, 10)[:, None])
