"""What counts as a recording that a made client has brought home."""

import asyncio
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sessions.audio_formats import MEDIA_TYPES
from tools.clients.makers import MAKERS, PROGRAMS
from tools.clients.scene import SECONDS, NotRecordedError, length_seconds, run

RATE = 48_000


def _written(path: Path, seconds: float, level: float) -> Path:
    soundfile.write(path, np.full(round(seconds * RATE), level), RATE)
    return path


def test_speech_of_the_time_that_was_asked_for_counts(tmp_path: Path) -> None:
    """And its length is told."""
    assert length_seconds(_written(tmp_path / "a.wav", SECONDS + 0.5, 0.3)) == SECONDS + 0.5


@pytest.mark.parametrize(
    ("seconds", "level", "said"), [(SECONDS - 0.1, 0.3, "2.900 s"), (SECONDS, 0.0, "nobody is heard")]
)
def test_silence_and_half_a_recording_do_not_count(tmp_path: Path, seconds: float, level: float, said: str) -> None:
    """What a client has cut off, or what nobody has spoken into."""
    with pytest.raises(NotRecordedError, match=said):
        length_seconds(_written(tmp_path / "a.wav", seconds, level))


@pytest.mark.parametrize("content", [None, b"", b'{"object": "audio_link"}'])
def test_what_does_not_open_does_not_count(tmp_path: Path, content: bytes | None) -> None:
    """Nothing, an empty file, the link in the place of what it leads to."""
    if content is not None:
        (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(NotRecordedError, match="does not open"):
        length_seconds(tmp_path / "a.wav")


def test_a_program_that_fails_says_why(tmp_path: Path) -> None:
    """Its exit code, and what it has printed last."""
    with pytest.raises(NotRecordedError, match=r"(?s)ended with 3.*no such room"):
        asyncio.run(run((sys.executable, "-c", "print('no such room'); raise SystemExit(3)"), tmp_path, {}))


def test_every_form_of_audio_is_one_that_openapi_python_client_takes() -> None:
    """It leaves out what its configuration does not make bytes of."""
    config = json.loads((PROGRAMS / "openapi_python_client.json").read_text())
    assert set(config["content_type_overrides"]) == set(MEDIA_TYPES.values())


def test_every_maker_has_its_program() -> None:
    """And there is none besides."""
    programs = {path.name for path in PROGRAMS.iterdir() if path.suffix not in (".json", "")}
    assert {maker.program for maker in MAKERS} == programs
