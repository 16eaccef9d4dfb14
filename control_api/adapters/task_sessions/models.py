"""Bodies and answers of `/api/sessions`."""

from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field

from control_api.http.answers.models import AgentId, AnswerModel, RequestModel, ShortText, Timestamp
from control_api.messages.models import MessageText
from control_api.sessions.bodies.request_models import Prompt, TransportRequest

TaskStatus = Literal["created", "active", "paused", "completed", "failed"]


class TaskData(RequestModel):
    """Any members, at most 16 KiB as JSON. `transport` is no stored member: it says where to join."""

    model_config = ConfigDict(extra="allow")

    transport: TransportRequest | None = Field(
        None, description="Makes the session a voice session: where to join, as in POST /v1/sessions."
    )


class CreateTaskSessionRequest(RequestModel):
    """A new session: a text session, unless its data has a transport."""

    agent_id: AgentId = Field(description="Agent ID")
    task_id: ShortText | None = Field(None, description="Associated task ID")
    prompt: Prompt | None = Field(None, description="Initial prompt")
    data: TaskData | None = Field(None, description="Session data")


class UpdateTaskSessionRequest(RequestModel):
    """A member that is left out stays as it is."""

    # The words are checked where unknown ones are 400 `status.unknown`.
    status: Annotated[str, Field(max_length=64, json_schema_extra={"enum": list(get_args(TaskStatus))})] | None = Field(
        None, description="A command: paused, active or completed."
    )
    data: TaskData | None = Field(None, description="Session data: merged member by member, null deletes.")
    prompt: Prompt | None = Field(None, description="Update prompt")


class SendMessageRequest(RequestModel):
    """A message."""

    content: MessageText


class CreatedTaskSession(AnswerModel):
    """A session as its creation answers it."""

    id: str
    agent_id: str
    task_id: str | None
    status: TaskStatus
    created_at: Timestamp


class TaskSession(CreatedTaskSession):
    """A session in the list."""

    last_active: Timestamp
    message_count: int


class TaskSessionDetails(TaskSession):
    """A session with its data."""

    data: dict[str, Any]


class TaskSessionList(AnswerModel):
    """Sessions, newest first."""

    sessions: list[TaskSession]


class SentMessage(AnswerModel):
    """A message, and whether it is in the room."""

    message_id: str
    status: Literal["sent", "queued"]
    timestamp: Timestamp
