"""Makes the demo's speech again: `python -m tools.make_demo_speech` (needs the program espeak-ng).

Four turns in two voices, 24 kHz mono Ogg Vorbis, into parley/demo/speech. The result is committed, so nobody needs
this to run the demo.
"""

import io
import subprocess
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from parley.demo.script import SPOKEN_RATE

FOLDER = Path(__file__).parents[1] / "parley" / "demo" / "speech"
PEAK = 0.5

VOICES = {
    "alice": ["-v", "en-us+f3", "-p", "60", "-s", "165"],
    "bob": ["-v", "en-gb", "-p", "30", "-s", "160"],
}
TURNS = (
    ("alice", "Hi Bob, can you hear me? Parley is recording this room."),
    ("bob", "Loud and clear, Alice. Which database does it need?"),
    ("alice", "Only Postgres, and it brings one along."),
    ("bob", "Good. Then let us hang up, and look at the file."),
)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for number, (who, text) in enumerate(TURNS, start=1):
        speech = _trim(_resample(*_speak(who, text)))
        path = FOLDER / f"{number}_{who}.ogg"
        soundfile.write(path, speech / np.abs(speech).max() * PEAK, SPOKEN_RATE, format="OGG", subtype="VORBIS")
        print(f"{path.name}: {len(speech) / SPOKEN_RATE:.2f} s, {path.stat().st_size} bytes")


def _speak(who: str, text: str) -> tuple[NDArray[np.float64], int]:
    wav = subprocess.run(["espeak-ng", *VOICES[who], "--stdout", text], check=True, capture_output=True).stdout
    speech, rate = soundfile.read(io.BytesIO(wav), dtype="float64")
    return speech, rate


def _resample(speech: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """By the spectrum of the whole clip, which is exact for what lies below the lower rate's half."""
    length = round(len(speech) * SPOKEN_RATE / rate)
    return np.fft.irfft(np.fft.rfft(speech), n=length) * (length / len(speech))


def _trim(speech: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without the silence at both ends."""
    loud = np.flatnonzero(np.abs(speech) > 0.02 * np.abs(speech).max())
    return speech[loud[0] : loud[-1] + 1]


if __name__ == "__main__":
    main()
