"""API keys as they are asked for and shown."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from control_api.http.answers.models import INTEGRAL, AgentId, AnswerModel, RequestModel, ShortText, Timestamp
from control_api.http.answers.page import Page
from sessions.organizations.key_terms import DEFAULT_GRACE_SECONDS, MAX_GRACE_SECONDS, SCOPES, KeyKind, Scope
from sessions.texts.timestamps import EXPECTED_TIME, parse_timestamp


def _time(value: Any) -> Any:
    if value is None:
        return None
    try:
        return parse_timestamp(value)
    except (TypeError, ValueError, OverflowError):
        raise PydanticCustomError("timestamp", EXPECTED_TIME) from None


Time = Annotated[datetime, BeforeValidator(_time, json_schema_input_type=Timestamp)]


class CreateApiKeyRequest(RequestModel):
    """A master key may do everything; an agent key sees one agent's sessions, with chosen scopes."""

    kind: KeyKind
    agent_id: AgentId | None = Field(None, description="The agent that the key is for: required for an agent key.")
    scopes: Annotated[list[Scope], Field(max_length=len(SCOPES))] = Field(
        default_factory=list, description="What an agent key may do. A master key has every scope: leave this out."
    )
    expires_at: Time | None = Field(None, description="When the key stops working. Null: never.")
    name: ShortText | None = Field(None, description="What the key is for.")


class RotateApiKeyRequest(RequestModel):
    """How long the old key goes on working beside the new one."""

    grace_seconds: Annotated[int, Field(ge=0, le=MAX_GRACE_SECONDS), INTEGRAL] = Field(
        DEFAULT_GRACE_SECONDS,
        description=f"Seconds in which both keys work; at most {MAX_GRACE_SECONDS // 86400} days.",
    )


class ApiKeyResource(AnswerModel):
    """An API key without its secret, of which only a SHA-256 is kept."""

    id: str
    object: Literal["api_key"]
    organization_id: str
    kind: KeyKind
    agent_id: str | None
    name: str | None
    scopes: list[Scope]
    prefix: str
    last_four: str
    created_at: Timestamp
    expires_at: Timestamp | None
    revoked_at: Timestamp | None
    last_used_at: Timestamp | None = Field(description="Precise to the minute.")
    created_by: str | None = Field(
        description="The key that made it, or rotated another one into it. Null: the operator."
    )
    replaced_by: str | None = Field(
        description="The key that took its place. A key that was replaced manages no keys for the rest of its time."
    )


class NewApiKey(ApiKeyResource):
    """An API key with its secret, which is shown only when the key is made."""

    key: str


class ApiKeyList(Page[ApiKeyResource]):
    """A page of keys, newest first, revoked and expired ones included."""
