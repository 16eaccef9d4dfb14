"""`GET …/messages` and `POST …/messages`."""

from typing import Any

from aiohttp import web

from control_api.http.answers.json_answer import json_answer, to_json
from control_api.http.requests.call import Call
from control_api.http.serving.long_answer import long_list
from control_api.messages.delivery import deliver
from control_api.messages.message_pages import message_pages
from control_api.messages.models import Message, PostMessageRequest
from sessions.ids import format_id
from sessions.texts.timestamps import format_timestamp
from store.sessions.log.session_log import LogEntry
from store.sessions.log.session_messages import NewMessage


async def list_messages(call: Call) -> web.StreamResponse:
    """A page of the session's messages, oldest first."""
    return await long_list(call, message_pages(call, present_message), lambda last: str(last.seq))


async def post_message(call: Call) -> web.StreamResponse:
    """Log a message and take it to the room."""
    body = call.body_as(PostMessageRequest)
    blocks: list[dict[str, Any]] | None = None
    text = body.content
    if not isinstance(text, str):
        blocks = [block.model_dump() for block in text]
        text = "\n".join(block.text for block in text)
    entry = await deliver(call, NewMessage(body.role, text, blocks), lambda one: to_json(present_message(one)))
    return json_answer(present_message(entry), status=201)


def present_message(entry: LogEntry) -> Message:
    """The resource that clients read."""
    return Message.model_validate(
        {
            "id": format_id("msg", entry.id),
            "object": "message",
            "session_id": format_id("sess", entry.session_id),
            "seq": entry.seq,
            "role": entry.role,
            "speaker": entry.speaker,
            "identity": entry.identity,
            "content": entry.text if entry.content is None else entry.content,
            "text": entry.text,
            "source": entry.source,
            "status": message_status(entry),
            "created_at": format_timestamp(entry.created_at),
            "delivered_at": format_timestamp(entry.delivered_at),
        }
    )


def message_status(entry: LogEntry) -> str:
    """`sent` once it is in the room, or needs no room; else `queued`."""
    return "queued" if entry.delivered_at is None else "sent"
