"""Webhook endpoints and deliveries as they are asked for and shown."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from control_api.http.answers.models import AgentId, AnswerModel, RequestModel, Text, Timestamp, Title
from control_api.http.answers.page import Page
from sessions.destinations.webhook_url import MAX_URL_CHARACTERS
from sessions.events.event_types import PATTERN, matching
from sessions.ids import id_pattern
from sessions.texts.timestamps import EXPECTED_TIME, parse_timestamp
from store.webhooks.endpoint import DeliveryState, DisabledReason, EndpointStatus
from store.webhooks.endpoints import OLD_SECRET_HOURS

MAX_PATTERNS = 50


def _known(patterns: list[str]) -> list[str]:
    try:
        matching(patterns)
    except ValueError as problem:
        raise PydanticCustomError("event_types", "{problem}", {"problem": str(problem)}) from None
    return patterns


def _time(value: Any) -> Any:
    try:
        return None if value is None else parse_timestamp(value)
    except (TypeError, ValueError, OverflowError):
        raise PydanticCustomError("timestamp", EXPECTED_TIME) from None


Url = Annotated[
    Text,
    Field(
        min_length=1,
        max_length=MAX_URL_CHARACTERS,
        description="Where events are posted to: https, a public address, port 443 or 8443.",
    ),
]
EventTypes = Annotated[
    list[Annotated[str, Field(pattern=PATTERN)]],
    Field(
        min_length=1,
        max_length=MAX_PATTERNS,
        description="Which events: names, `session.*`, `*`. GET /v1/event_types lists them.",
    ),
    AfterValidator(_known),
]


class CreateWebhookEndpointRequest(RequestModel):
    """Where events go, and which."""

    url: Url
    event_types: EventTypes = Field(default_factory=lambda: ["*"])
    description: Title | None = Field(None, description="What it is for.")
    agent_id: AgentId | None = Field(
        None, description="Only events of this agent's sessions. Null: all; for an agent's key its agent."
    )


class UpdateWebhookEndpointRequest(RequestModel):
    """What changes; what is left out stays, and what is null too, but for description."""

    url: Url | None = None
    event_types: EventTypes | None = None
    description: Title | None = None
    status: EndpointStatus | None = Field(
        None,
        description="disabled: nothing is sent. enabled: it goes on where it stopped, with what happened since.",
    )


class ReplayRequest(RequestModel):
    """From where events are sent again: one of after and since."""

    after: Annotated[str, Field(pattern=id_pattern("evc"))] | None = Field(
        None, description="The cursor of an event: what happened after it is sent."
    )
    since: Annotated[Any, BeforeValidator(_time, json_schema_input_type=Timestamp | None)] = Field(
        None, description="What happened since then is sent."
    )
    types: EventTypes = Field(
        default_factory=lambda: ["*"],
        description="Which of those that the endpoint wants: names, `session.*`, `*`.",
    )


class WebhookEndpointResource(AnswerModel):
    """A webhook endpoint without its secret."""

    id: str
    object: Literal["webhook_endpoint"]
    organization_id: str
    agent_id: str | None
    url: str
    event_types: list[str]
    description: str | None
    includes_content: bool = Field(
        description="Whether events show what was said and written: whether its maker has sessions:read."
    )
    status: EndpointStatus
    disabled_reason: DisabledReason | None = Field(
        description="requested: by a client. gone: it answered 410. failing: nothing was delivered for days. "
        "key_revoked: the key that made it, or set its URL or its secret last, was revoked with cascade."
    )
    disabled_at: Timestamp | None
    failing_since: Timestamp | None = Field(description="The first failure since the last success. Null: none.")
    old_secret_until: Timestamp | None = Field(
        description=f"Until then the secret before the rotation signs, too; {OLD_SECRET_HOURS} hours."
    )
    replaying_since: Timestamp | None = Field(description="When the replay that is under way was asked for.")
    created_at: Timestamp
    updated_at: Timestamp


class NewWebhookEndpoint(WebhookEndpointResource):
    """A webhook endpoint with its secret, which is shown only when it is made."""

    secret: str = Field(description="whsec_ and base64: what Standard Webhooks' libraries verify with.")


class WebhookEndpointList(Page[WebhookEndpointResource]):
    """A page of endpoints, newest first."""


class AttemptResource(AnswerModel):
    """One request to the endpoint."""

    at: Timestamp
    ms: int
    status: int | None = Field(description="Of HTTP. Null: no answer came.")
    error: str | None = Field(
        description="Null: it succeeded. status, redirect: another status than 2xx. Else there was no answer: "
        "url_not_allowed, address_not_allowed, name_unresolved, connection_refused, connection_failed, tls, timeout, "
        "closed_early, answer_malformed. Nothing was sent: event_expired (the event is not kept any more), "
        "secret_unreadable (the operator has dropped the key that opens the endpoint's secret: rotate_secret)."
    )
    answer: str | None = Field(description="The first KiB of the answer's body.")


class DeliveryResource(AnswerModel):
    """An event on its way to an endpoint."""

    id: str
    object: Literal["webhook_delivery"]
    endpoint_id: str
    event_id: str = Field(description="Also the webhook-id header of every attempt.")
    event_type: str
    session_id: str | None
    state: DeliveryState
    created_at: Timestamp
    next_attempt_at: Timestamp | None = Field(description="Null: nothing more is tried.")
    finished_at: Timestamp | None
    attempts: list[AttemptResource] = Field(description="The last 20, oldest first.")


class DeliveryList(Page[DeliveryResource]):
    """A page of deliveries, newest first. They are kept for 30 days."""
