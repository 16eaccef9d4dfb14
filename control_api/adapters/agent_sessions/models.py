"""Sessions and messages of `/v1/agents/{agent_id}/sessions`: times are Unix timestamps in milliseconds."""

from typing import Annotated, Literal

from pydantic import Field

from control_api.http.answers.models import AnswerModel, RequestModel, Title
from control_api.http.answers.page import Page
from control_api.messages.models import ContentBlock
from control_api.sessions.bodies.resource_models import StatusWord
from sessions.session import SessionKind
from store.sessions.log.session_log import Role

Milliseconds = Annotated[int, Field(description="Unix timestamp in milliseconds", examples=[1795315077123])]


class AgentSession(AnswerModel):
    """A session of the agent."""

    object: Literal["agent_session"]
    key: str = Field(description="The session's id.")
    agent_id: str
    label: str | None = Field(description="The session's title.")
    status: StatusWord
    kind: SessionKind
    preview: str | None
    output_preview: str | None
    message_count: int
    created_at: Milliseconds
    updated_at: Milliseconds
    last_active_at: Milliseconds | None
    archived_at: Milliseconds | None


class AgentSessionList(Page[AgentSession]):
    """A page of sessions, newest first."""


class HistoryMessage(AnswerModel):
    """One message of a session."""

    object: Literal["message"]
    id: str
    seq: int
    role: Role
    identity: str | None = Field(description="Identity of the participant who wrote it in the room.")
    content: str | list[ContentBlock] = Field(description="String or array of content blocks")
    created_at: Milliseconds


class History(Page[HistoryMessage]):
    """A page of messages, oldest first; `next_cursor` goes into `after`."""


class RenameRequest(RequestModel):
    """A new name."""

    label: Annotated[Title, Field(min_length=1)] = Field(description="The session's title from now on.")
