"""The recording of a session."""

from typing import Literal

from pydantic import Field

from control_api.http.answers.models import AnswerModel, Timestamp
from sessions.audio_formats import AudioFormat
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


class RecordingFile(AnswerModel):
    """One file of the recording. GET …/audio?format=…&identity=… leads to it."""

    format: AudioFormat
    track: Literal["mix", "participant"] = Field(description="Whether everybody is heard in it, or one participant.")
    identity: str | None = Field(description="The participant; null: everybody.")
    state: Literal["pending", "available", "incomplete", "failed"] = Field(
        description="incomplete: it is there, without some of what the recording has of that participant, because "
        "segments were lost before it was made."
    )
    bytes: int | None
    sha256: str | None


class RecordedTrack(AnswerModel):
    """What of one participant's track is in the recording, at 48,000 samples a second."""

    identity: str = Field(description="Of the participant.")
    participant_name: str | None = Field(
        description="To show, as the room said; null where there is none, or it is not known."
    )
    name: str = Field(description="Of the track, such as microphone.")
    sid: str = Field(description="LiveKit's id of the track.")
    side: Literal["room", "worker"] = Field(description="The channel that it is in where the layout is stereo.")
    first_sample: int
    samples: int
    frames: int = Field(description="Whole frames of 10 ms in samples.")


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
    tracks: list[RecordedTrack]
    gaps: list[Gap]
    absences: list[Absence]
    files: list[RecordingFile] = Field(description="What there is, and what is being made.")
    finalized_at: Timestamp | None


class ParticipantLevels(AnswerModel):
    """How loud one participant was."""

    identity: str
    ms_per_level: int
    dbfs: list[int] = Field(description="Peak levels, from -96 (silence) to 0.")


class WaveformResource(AnswerModel):
    """What a player draws; it needs none of the audio for it."""

    object: Literal["waveform"]
    session_id: str
    sample_rate: int
    samples_per_pixel: int
    bits: int
    channels: int
    length: int
    data: list[int] = Field(
        description="Per pixel, per channel: minimum and maximum, from -128 to 127. With the members above it is what "
        "audiowaveform makes (version 2), so that players which read that read this."
    )
    levels: list[ParticipantLevels] = Field(description="Of each participant, at the recording's times.")


class AudioLink(AnswerModel):
    """Where the file is, for clients that don't follow the redirect."""

    object: Literal["audio_link"]
    session_id: str
    url: str
    expires_at: Timestamp
