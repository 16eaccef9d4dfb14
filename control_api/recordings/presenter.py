"""From a stored recording to the resource that clients read."""

from control_api.recordings.models import RecordingResource
from sessions.ids import format_id
from sessions.timestamps import format_timestamp
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


def present_recording(recording: Recording) -> RecordingResource:
    """State and facts; what isn't known before the file is stored is null, tracks, gaps and absences are empty."""
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
            "finalized_at": format_timestamp(recording.committed_at),
        }
    )
