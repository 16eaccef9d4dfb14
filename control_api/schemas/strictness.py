"""How request bodies are checked: strict types, no unknown members, bounded texts, and errors that don't quote them."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class RequestModel(BaseModel):
    """A body, or a part of one."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class AnswerModel(BaseModel):
    """An answer, or a part of one: every member is always there, null when it has no value."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_mode_override="serialization", hide_input_in_errors=True
    )


def _integral(value: Any) -> Any:
    """JSON Schema calls 25.0 an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# After the bounds, else JSON Schema loses them: Annotated[int, Field(ge=1), INTEGRAL].
INTEGRAL = BeforeValidator(_integral)
ShortText = Annotated[str, Field(min_length=1, max_length=256)]
