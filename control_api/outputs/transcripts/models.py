"""The transcript of a session, and its summary."""

from typing import Literal

from pydantic import Field

from control_api.http.answers.models import AnswerModel, RequestModel, Timestamp
from control_api.sessions.bodies.request_models import LANGUAGE_TAG
from sessions.texts.transcript import TranscriptState, Unheard
from store.sessions.log.session_log import Role, Source


class OutputError(AnswerModel):
    """Why a transcript has no speech, or why there is no summary; GET /v1/codes explains `code`."""

    code: str
    message: str | None


class TranscriptWord(AnswerModel):
    """One word of an utterance; times are milliseconds from `started_at`."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float | None = Field(description="0 to 1; null: the engine does not say.")


class TranscriptSegment(AnswerModel):
    """One utterance or message; times are milliseconds from `started_at`."""

    seq: int
    speaker: str | None = Field(description="The participant's name to show; null: there is none, so show identity.")
    identity: str | None
    role: Role
    text: str | None = Field(description="null: somebody spoke, and reason says why nobody knows what.")
    reason: Unheard | None
    start_ms: int
    end_ms: int
    final: bool
    confidence: float | None
    words: list[TranscriptWord] | None = Field(description="Null: the source names no words.")
    source: Source


class TranscriptResource(AnswerModel):
    """Who said or wrote what, in the order of time."""

    object: Literal["transcript"]
    session_id: str
    version: int = Field(description="1: what was recognized first. Higher: made anew; the newest is served.")
    status: TranscriptState = Field(
        description="none: the session never ran. open: it is still going on. pending: it is over, and speech is being "
        "recognized. available: complete. incomplete: speech is missing; error says why."
    )
    engine: str | None = Field(description="The engine that recognized speech; null: none did.")
    model: str | None
    language: str | None
    error: OutputError | None
    segments: list[TranscriptSegment]


class TranscribeRequest(RequestModel):
    """How to make it anew."""

    engine: Literal["moonshine", "openai", "faster-whisper"] | None = Field(
        None, description="What recognizes speech. Null: the installation's engine."
    )
    language: str | None = Field(
        None, max_length=35, pattern=LANGUAGE_TAG, description="What is spoken, as BCP 47. Null: as the session says."
    )


class TranscriptRunResource(AnswerModel):
    """The making of a version of a transcript."""

    object: Literal["transcript_run"]
    session_id: str
    run_id: str
    status: Literal["generating", "available", "failed"]
    version: int = Field(description="Its number once it is available; a run that failed leaves it to the next one.")
    engine: str | None = Field(description="Null: the installation's engine.")
    language: str | None
    audio: Literal["tracks", "mix"] | None = Field(
        description="What was heard: each participant's own file, or the mix. Null: nothing yet."
    )
    requested_at: Timestamp
    finished_at: Timestamp | None
    error: OutputError | None


class Participant(AnswerModel):
    """Somebody who said or wrote something."""

    identity: str | None
    speaker: str | None
    role: str


class SummaryContent(AnswerModel):
    """What `summary.json` holds; `transcript_sha256` is the transcript that it was made from."""

    title: str | None
    summary: str
    key_points: list[str]
    action_items: list[str]
    participants: list[Participant]
    talk_time_ms: dict[str, int] = Field(description="Milliseconds of speech by identity.")
    language: str | None
    engine: str | None = Field(description="The engine that summarized; null: there was nothing to summarize.")
    model: str | None
    transcript_sha256: str


class SummaryResource(AnswerModel):
    """The summary of a session and its last run; `content` is null until a run has succeeded."""

    object: Literal["summary"]
    session_id: str
    status: Literal["none", "generating", "available", "failed"] = Field(
        description="State of the last run; none: there was none."
    )
    workflow_id: str
    run_id: str | None
    is_current: bool = Field(description="Whether content was made from the transcript as it is now.")
    requested_at: Timestamp | None
    finished_at: Timestamp | None
    error: OutputError | None
    content: SummaryContent | None
