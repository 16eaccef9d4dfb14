"""The operations on a session's messages."""

from control_api.http.answers.examples import page
from control_api.http.openapi.operation import Answer, Operation
from control_api.http.requests.query_parameters import after_seq, page_size
from control_api.messages import examples, routes
from control_api.messages.models import Message, MessageList, PostMessageRequest
from control_api.sessions.one_session import ONE_SESSION

MESSAGE_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="list_messages",
        method="GET",
        path=ONE_SESSION + "/messages",
        tag="Messages",
        summary="Messages of a session, oldest first",
        description="What was posted here, and what participants wrote in the room (text streams, topic lk.chat).",
        scope="sessions:read",
        handler=routes.list_messages,
        query=(after_seq("messages"), page_size()),
        answers=(Answer(200, "A page of messages.", MessageList, page(examples.MESSAGE, cursor="3")),),
    ),
    Operation(
        name="post_message",
        method="POST",
        path=ONE_SESSION + "/messages",
        tag="Messages",
        summary="Send a message to a session",
        description=(
            "Its worker puts it into the room (text stream, topic lk.chat): sent when that was done within 2 s, else "
            "queued, and sent when the session runs. The first message of a text session makes that running."
        ),
        scope="sessions:write",
        handler=routes.post_message,
        body=PostMessageRequest,
        request_examples={
            "text": {"content": "Please continue with the implementation"},
            "blocks": {"content": [{"type": "text", "text": "Hello"}], "role": "assistant"},
        },
        answers=(Answer(201, "The message.", Message, examples.MESSAGE),),
        errors=("session.not_running",),
    ),
)
