"""An organization's events, as clients read them: the same in a list, a stream and a webhook."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from control_api.http.answers.models import AnswerModel, Timestamp
from control_api.http.answers.page import Page
from control_api.sessions.bodies.resource_models import SessionError, StatusWord, UsageCounters


class EventSession(AnswerModel):
    """The session that an event is about, as it was then."""

    id: str = Field(description="sess_… prefixed ULID.")
    status: StatusWord
    agent_id: str
    task_id: str | None
    project_id: str | None
    external_customer_id: str | None
    metadata: dict[str, Any] | None = Field(
        description="Null for keys without the scope sessions:read; empty once the session is deleted."
    )
    end_reason: str | None
    error: SessionError | None
    usage: UsageCounters


class EventData(AnswerModel):
    """The session, and the facts that belong to the event's type: GET /v1/event_types lists these members."""

    model_config = ConfigDict(frozen=True, extra="allow")

    session: EventSession | None = Field(description="Null where the event is about no session.")


class Event(AnswerModel):
    """One event. `cursor` says where to go on behind it, in a list, a stream or a webhook's replay."""

    id: str = Field(description="evt_… prefixed ULID; the same however often the event is read.")
    object: Literal["event"]
    type: str = Field(description="One of GET /v1/event_types.")
    created_at: Timestamp
    organization_id: str
    session_id: str | None
    seq: int | None = Field(description="Counts within the session, from 1.")
    cursor: str
    api_version: Literal["v1"]
    data: EventData


class OrganizationEventList(Page[Event]):
    """A page of events. It may have fewer than `limit`, or none, and still `has_more`: go on with `next_cursor`."""

    cursor: str = Field(
        description="How far this page looked: after=cursor asks for what happens later, also when has_more is false."
    )


class EventFact(AnswerModel):
    """One member that `data` has besides `session`."""

    name: str
    description: str
    content: bool = Field(description="Whether it is null for keys without the scope sessions:read.")


class EventTypeEntry(AnswerModel):
    """One type of event."""

    object: Literal["event_type"]
    type: str
    description: str
    data: list[EventFact]
    example: dict[str, Any] = Field(description="A whole event, as lists, streams and webhooks would have it.")


class EventTypeList(Page[EventTypeEntry]):
    """Every type of event that there is."""
