"""Messages of a session: what is posted, and how they are read."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from control_api.http.answers.models import AnswerModel, RequestModel, Timestamp
from control_api.http.answers.page import Page
from sessions.texts.text_bounds import LONG_CHARACTERS
from store.sessions.log.session_log import Role, Source

_SAYS_SOMETHING = r"^[^\x00]*[^\x00\s][^\x00]*$"  # more than blanks, and no NUL
MessageText = Annotated[str, Field(min_length=1, max_length=LONG_CHARACTERS, pattern=_SAYS_SOMETHING)]


class TextBlock(RequestModel):
    """A content block."""

    type: Literal["text"]
    text: MessageText


class ContentBlock(AnswerModel):
    """A content block as it was posted."""

    type: Literal["text"]
    text: str


def _form(value: Any) -> str:
    return "blocks" if isinstance(value, list) else "text"


Content = Annotated[
    Annotated[MessageText, Tag("text")] | Annotated[list[TextBlock], Field(min_length=1, max_length=50), Tag("blocks")],
    Discriminator(_form),
]


class PostMessageRequest(RequestModel):
    """A message for the participants of a session, who read it in the room (text stream, topic lk.chat)."""

    content: Content = Field(description="A text, or content blocks.")
    role: Role = Field("user", description="Whose words these are.")


class Message(AnswerModel):
    """One message; `seq` counts messages and transcript segments of the session together."""

    id: str
    object: Literal["message"]
    session_id: str
    seq: int
    role: Role
    speaker: str | None
    identity: str | None = Field(description="Identity of the participant who wrote it in the room.")
    content: str | list[ContentBlock]
    text: str
    source: Source
    status: Literal["sent", "queued"] = Field(
        description="sent: the message is in the room, or the session has no room. queued: a worker will put it there."
    )
    created_at: Timestamp
    delivered_at: Timestamp | None


class MessageList(Page[Message]):
    """A page of messages, oldest first; `next_cursor` goes into `after`."""
