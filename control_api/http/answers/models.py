"""What bodies of requests and answers are made of: strict types, no unknown members, errors that quote no input."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from sessions.texts.text_bounds import NO_NUL, SHORT_CHARACTERS, TITLE_CHARACTERS


class RequestModel(BaseModel):
    """A body, or a part of one."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class AnswerModel(BaseModel):
    """An answer, or a part of one: every member is always there, null when it has no value."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_mode_override="serialization", hide_input_in_errors=True
    )


def _integral(value: Any) -> Any:
    """25.0 as 25, which JSON Schema calls an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# After the bounds, else JSON Schema loses them: Annotated[int, Field(ge=1), INTEGRAL].
INTEGRAL = BeforeValidator(_integral)

# `json_body` refuses NUL anywhere in a body; the schemas say so, too.
Text = Annotated[str, Field(pattern=NO_NUL)]
ShortText = Annotated[str, Field(min_length=1, max_length=SHORT_CHARACTERS, pattern=NO_NUL)]
Title = Annotated[str, Field(pattern=NO_NUL, max_length=TITLE_CHARACTERS)]
# An agent's id is a segment of a path (/v1/agents/{agent_id}/sessions), where every client resolves . and .. away.
AgentId = Annotated[
    str, Field(min_length=1, max_length=SHORT_CHARACTERS, pattern=r"^[^\x00]*[^\x00.][^\x00]*$|^\.{3,}$")
]
# Any JSON. A schema that says more of it (no NUL, at any depth) is recursive, which makers of clients can't read.
Json = Any
JsonObject = dict[str, Json]


class EmptyRequest(RequestModel):
    """A command without members: send nothing, or `{}`."""


Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-22T02:37:57.123Z"])]
