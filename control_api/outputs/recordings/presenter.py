"""From a stored recording to the resource that clients read."""

from collections.abc import Iterator, Sequence
from typing import Any

from control_api.outputs.recordings.models import RecordingResource
from sessions.ids import format_id
from sessions.texts.timestamps import format_timestamp
from store.outputs.recording_files import MIX, RecordingFile
from store.sessions.queries import Recording

_AS_THEY_ARE = (
    "state",
    "reason",
    "sample_rate",
    "channels",
    "duration_ms",
    "size_bytes",
    "sha256",
    "peak_dbfs",
    "current_peak_dbfs",
)


def present_recording(recording: Recording, files: Sequence[RecordingFile]) -> RecordingResource:
    """State and facts; what isn't known before the file is stored is null, and lists are empty.

    Args:
        files: those besides `conversation.wav`.
    """
    return RecordingResource.model_validate(
        {
            **{name: getattr(recording, name) for name in _AS_THEY_ARE},
            "object": "recording",
            "id": None if recording.id is None else format_id("rec", recording.id),
            "session_id": format_id("sess", recording.session_id),
            "layout": recording.options.layout,
            "on_pause": recording.options.on_pause,
            "tracks": recording.tracks or [],
            "gaps": recording.gaps or [],
            "absences": recording.absences or [],
            "files": [*_conversation(recording), *(_present(file) for file in files)],
            "finalized_at": format_timestamp(recording.committed_at),
        }
    )


def _conversation(recording: Recording) -> Iterator[dict[str, Any]]:
    if (at := recording.committed_at) is not None:
        yield _present(RecordingFile(MIX, "wav", "available", at, 1, None, recording.sha256, recording.size_bytes))


def _present(file: RecordingFile) -> dict[str, Any]:
    return {
        "format": file.format,
        "track": "mix" if file.identity == MIX else "participant",
        "identity": None if file.identity == MIX else file.identity,
        "state": file.state,
        "bytes": file.size_bytes,
        "sha256": file.sha256,
    }
