"""`recording.json`: what lies beside the recording and tells what is in it."""

from dataclasses import asdict
from typing import Any

from audio.building.build import BuildResult


def recording_document(session_id: str, result: BuildResult) -> dict[str, Any]:
    """Return the document as JSON values; the same for the same session and bytes."""
    return {
        "object": "recording",
        "session_id": session_id,
        "duration_ms": result.length_samples * 1000 // result.sample_rate,
        "sample_rate": result.sample_rate,
        "channels": result.num_channels,
        "layout": result.layout,
        "size_bytes": result.size_bytes,
        "sha256": result.sha256_hex,
        "peak_dbfs": result.peak_dbfs,
        "loudness": {
            **asdict(result.loudness.mix),
            "participants": result.loudness.participants,
            "tracks": result.loudness.tracks,
        },
        "tracks": list(result.tracks),
        "gaps": list(result.gaps),
        "absences": list(result.absences),
    }
