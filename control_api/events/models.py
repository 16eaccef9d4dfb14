"""A session's events and status transitions, as clients read them."""

from typing import Any, Literal

from control_api.http.answers.models import AnswerModel, Timestamp
from control_api.http.answers.page import Page
from control_api.sessions.bodies.resource_models import StatusWord


class SessionEvent(AnswerModel):
    """One event of a session; `seq` counts from 1 within the session."""

    id: str
    object: Literal["event"]
    session_id: str
    seq: int
    type: str
    occurred_at: Timestamp
    epoch: int
    status_from: StatusWord | None
    status_to: StatusWord | None
    code: str | None
    fault: str | None
    data: dict[str, Any]


class EventList(Page[SessionEvent]):
    """A page of events; `next_cursor` goes into `after`."""


class StatusTransition(AnswerModel):
    """One change of a session's status."""

    object: Literal["transition"]
    seq: int
    status_from: StatusWord | None
    status_to: StatusWord
    occurred_at: Timestamp
    epoch: int
    code: str | None
    fault: str | None


class Timeline(Page[StatusTransition]):
    """Every status transition of a session."""
