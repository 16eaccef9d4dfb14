"""The receipt of a session."""

from typing import Literal

from pydantic import Field

from control_api.http.answers.models import AnswerModel, Timestamp
from sessions.codes import Fault
from sessions.lifecycle.recording_state import RecordingState


class SessionClock(AnswerModel):
    """From when to when the session ran; null for one that never ran, and for the end of one that goes on."""

    started_at: Timestamp | None
    ending_at: Timestamp | None
    milliseconds: int | None


class RecordingLength(AnswerModel):
    """The length of `conversation.wav`; null until it is stored."""

    state: RecordingState
    milliseconds: int | None


class Heard(AnswerModel):
    """For how long a track was received, its silences included."""

    identity: str = Field(description="Of the participant.")
    participant_name: str | None = Field(
        description="To show, as the room said. Null where there is none, or it is not known, and for keys without the "
        "scope sessions:read."
    )
    name: str = Field(description="Of the track, such as microphone.")
    side: Literal["room", "worker"]
    milliseconds: int


class GapSum(AnswerModel):
    """All gaps of one code; GET /v1/codes explains it. usage.not_recorded is given back without being one."""

    code: str
    fault: Fault
    milliseconds: int = Field(description="In the recording; gaps that overlap are counted once.")
    credited_ms: int = Field(description="What of it was counted, and is given back.")


class AbsenceSum(AnswerModel):
    """The time in which nobody whom the session records was in the room: no media, no charge (usage.no_media)."""

    milliseconds: int = Field(description="In the recording; of a gap in it the gap's code says what is given back.")
    credited_ms: int = Field(description="What of it was counted, and is given back.")


class Billed(AnswerModel):
    """What the rows of the bill add up to: milliseconds = counted_ms - credited_ms."""

    counted_ms: int
    credited_ms: int
    milliseconds: int
    multiplier: str
    credits: str


class Receipt(AnswerModel):
    """What a session costs, and why."""

    object: Literal["receipt"]
    session_id: str
    provisional: bool = Field(
        description="The session goes on: its bill is a minute behind, and nothing was given back yet."
    )
    clock: SessionClock
    recording: RecordingLength
    heard: list[Heard]
    gaps: list[GapSum]
    absences: AbsenceSum
    billed: Billed
    balances: bool
    imbalances: list[str] = Field(description="What is wrong with the bill, in sentences; empty when it balances.")
