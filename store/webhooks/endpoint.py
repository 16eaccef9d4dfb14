"""A webhook endpoint and its deliveries as values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import RowMapping

EndpointStatus = Literal["enabled", "disabled"]
DisabledReason = Literal["requested", "gone", "failing", "key_revoked"]
DeliveryState = Literal["pending", "succeeded", "failed"]

TEST_TYPE = "webhook_endpoint.test"
"""The type of what a test sends; it is in no log."""


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """Where an organization wants its events, without the secret.

    Attributes:
        agent_id: only events of this agent's sessions; None: all.
        event_types: names, or globs such as `session.*`.
        reads_content: whether events show what was said and written.
        disabled_reason: requested by a client; gone: it answered 410; failing: for days nothing was delivered;
            key_revoked: the key that directed it was revoked with all that it made.
        failing_since: the first failure since the last success; None: the last attempt succeeded, or there was none.
        old_secret_until: until then a rotated secret signs, too.
        replaying_since: when the replay was asked for that is under way.
    """

    id: UUID
    organization_id: UUID
    agent_id: str | None
    url: str
    event_types: tuple[str, ...]
    description: str | None
    reads_content: bool
    status: EndpointStatus
    disabled_reason: DisabledReason | None
    disabled_at: datetime | None
    failing_since: datetime | None
    old_secret_until: datetime | None
    replaying_since: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to an endpoint, and what came back.

    Attributes:
        ms: how long it took.
        status: of HTTP; None: there was no answer.
        error: why it counts as failed; None: it succeeded.
        answer: the first KiB of the answer's body; None: there was no answer.
    """

    number: int
    at: datetime
    ms: int
    status: int | None
    error: str | None
    answer: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint.

    Attributes:
        event_id: also the `webhook-id`, the same in every attempt.
        next_attempt_at: None when nothing more is tried.
        tries: attempts since it was asked for last.
    """

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    event_type: str
    session_id: UUID | None
    state: DeliveryState
    tries: int
    created_at: datetime
    next_attempt_at: datetime | None
    finished_at: datetime | None
    attempts: tuple[Attempt, ...] = ()


def to_endpoint(row: RowMapping) -> WebhookEndpoint:
    """The value of a row."""
    values = {name: row[name] for name in WebhookEndpoint.__slots__}
    return WebhookEndpoint(**{**values, "event_types": tuple(row["event_types"])})


def to_delivery(row: RowMapping, attempts: tuple[Attempt, ...] = ()) -> Delivery:
    """The value of a row and of its attempts' rows."""
    values = {name: row[name] for name in Delivery.__slots__ if name != "attempts"}
    return Delivery(**values, attempts=attempts)
