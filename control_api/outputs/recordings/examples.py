"""Examples of recordings for the OpenAPI document."""

from control_api.http.answers.examples import SESSION_ID

RECORDING = {
    "object": "recording",
    "id": "rec_01KB2F9999Q4V9M7T8Y6R3N1C0",
    "session_id": SESSION_ID,
    "state": "incomplete",
    "reason": None,
    "layout": "stereo",
    "on_pause": "silence",
    "sample_rate": 48000,
    "channels": 2,
    "duration_ms": 61240,
    "size_bytes": 11758124,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "peak_dbfs": -6.1,
    "current_peak_dbfs": None,
    "tracks": [
        {
            "identity": "caller-7",
            "participant_name": "Ada",
            "name": "microphone",
            "sid": "TR_AMmmVdFmS4Tt3d",
            "side": "room",
            "first_sample": 9600,
            "samples": 2928480,
            "frames": 6101,
        }
    ],
    "gaps": [
        {"start_ms": 20110, "end_ms": 21870, "code": "gap.worker_lost", "identity": None},
        {"start_ms": 40020, "end_ms": 42500, "code": "gap.encrypted", "identity": "caller-7"},
    ],
    "absences": [{"start_ms": 0, "end_ms": 8210}],
    "files": [
        {
            "format": "wav",
            "track": "mix",
            "identity": None,
            "state": "available",
            "bytes": 11758124,
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        },
        {
            "format": "opus",
            "track": "participant",
            "identity": "caller-7",
            "state": "pending",
            "bytes": None,
            "sha256": None,
        },
    ],
    "finalized_at": "2026-11-22T02:39:02.004Z",
}
WAVEFORM = {
    "object": "waveform",
    "session_id": SESSION_ID,
    "sample_rate": 48000,
    "samples_per_pixel": 960,
    "bits": 8,
    "channels": 1,
    "length": 3,
    "data": [-12, 9, -63, 58, 0, 0],
    "levels": [{"identity": "caller-7", "ms_per_level": 100, "dbfs": [-6]}],
}
AUDIO_LINK = {
    "object": "audio_link",
    "session_id": SESSION_ID,
    "url": "https://parley.example/v1/objects/sessions/sess_01/conversation.wav?expires=1795230000&signature=…",
    "expires_at": "2026-11-22T03:38:00.000Z",
}
