"""The recording of a session."""

from typing import Any, Literal

from pydantic import Field

from control_api.http.answers.models import AnswerModel, Timestamp
from sessions.lifecycle.recording_state import RecordingState
from sessions.session import Layout, OnPause


class Gap(AnswerModel):
    """A hole in the recording; GET /v1/codes explains `code`."""

    start_ms: int
    end_ms: int
    code: str
    identity: str | None = Field(
        default=None, description="The participant who is not heard, while others may be; null: nobody is."
    )


class Absence(AnswerModel):
    """A stretch in which nobody whom the session records was in the room; it costs nothing."""

    start_ms: int
    end_ms: int


class RecordingResource(AnswerModel):
    """State and facts of `conversation.wav`; `current_peak_dbfs` is the present level while recording goes on."""

    object: Literal["recording"]
    id: str | None
    session_id: str
    state: RecordingState
    reason: str | None
    layout: Layout
    on_pause: OnPause
    sample_rate: int | None
    channels: int | None
    duration_ms: int | None
    size_bytes: int | None
    sha256: str | None
    peak_dbfs: float | None
    current_peak_dbfs: float | None
    tracks: list[dict[str, Any]]
    gaps: list[Gap]
    absences: list[Absence]
    finalized_at: Timestamp | None


class AudioLink(AnswerModel):
    """Where the file is, for clients that don't follow the redirect."""

    object: Literal["audio_link"]
    session_id: str
    url: str
    expires_at: Timestamp
