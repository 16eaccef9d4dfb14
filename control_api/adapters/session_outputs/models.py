"""Bodies and answers of the flat paths `/v1/session/…`: camelCase, and a member without a value is left out."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from control_api.http.answers.models import RequestModel, Text
from sessions.ids import id_pattern
from sessions.texts.text_bounds import SHORT_CHARACTERS

SessionType = Literal["project", "instant"]


def _is_undefined(value: object) -> bool:
    return value is None


Undefined = Field(default=None, exclude_if=_is_undefined)


class OutputsAnswer(BaseModel):
    """An answer of a flat path."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        serialize_by_alias=True,
        json_schema_mode_override="serialization",
        hide_input_in_errors=True,
    )


class OutputsError(BaseModel):
    """`{"error": "<text>"}`; the headers have the code and the request id."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    error: str


class StatusPayload(OutputsAnswer):
    """`status` is the session's own word, `wsUrl` the room's address."""

    success: Literal[True]
    session_id: str
    type: SessionType
    project_id: Annotated[str | None, Undefined]
    status: str
    agent_id: str
    ws_url: str | None
    created_at: Annotated[str | None, Undefined]
    updated_at: Annotated[str | None, Undefined]
    completed_at: Annotated[str | None, Undefined]


class AudioPayload(OutputsAnswer):
    """A signed link to `conversation.wav`, good for about an hour."""

    success: Literal[True]
    session_id: str
    audio_url: str


class TranscriptPayload(OutputsAnswer):
    """`transcript` is what `conversation.json` holds."""

    success: Literal[True]
    session_id: str
    transcript: Any


class SummaryPayload(OutputsAnswer):
    """`summary` is what `summary.json` holds."""

    success: Literal[True]
    session_id: str
    summary: Any


class GeneratingPayload(OutputsAnswer):
    """There is no summary of the transcript as it is now; a run is making it."""

    success: Literal[False]
    session_id: str
    generating: Literal[True]
    workflow_id: str
    run_id: str


class RegeneratingPayload(OutputsAnswer):
    """A run is making the summary."""

    success: Literal[True]
    session_id: str
    workflow_id: str
    run_id: str


class RegenerateRequest(RequestModel):
    """The session whose summary is made again."""

    # The schema shows the pattern and doesn't check it: `parse_id` refuses a malformed id with 400 `id.invalid`.
    session_id: str = Field(
        alias="sessionId", max_length=SHORT_CHARACTERS, json_schema_extra={"pattern": id_pattern("sess")}
    )
    project_id: Annotated[Text, Field(max_length=SHORT_CHARACTERS)] | None = Field(
        None, alias="projectId", description="If given, the session must be of this project."
    )
    instant_voice_links: bool = Field(False, description="true: the session must have no project_id.")
