"""`waveform.json`: what lies beside the recording and draws it. Bytes are in base64, as numbers take three times that.

Members: `sample_rate`, `samples_per_peak`, `channels`, `peaks` (int8; per cell, per channel: minimum, maximum),
`samples_per_level`, `levels` [{`identity`, `dbfs` (int8 per cell)}].
"""

from base64 import b64encode
from typing import Any

from audio.building.build import BuildResult
from audio.building.peaks import SAMPLES_PER_LEVEL, SAMPLES_PER_PEAK


def waveform_document(result: BuildResult) -> dict[str, Any]:
    """Return the document as JSON values; the same for the same recording."""
    return {
        "sample_rate": result.sample_rate,
        "samples_per_peak": SAMPLES_PER_PEAK,
        "channels": result.num_channels,
        "peaks": b64encode(result.waveform.peaks).decode(),
        "samples_per_level": SAMPLES_PER_LEVEL,
        "levels": [
            {"identity": identity, "dbfs": b64encode(levels).decode()}
            for identity, levels in result.waveform.levels.items()
        ],
    }
