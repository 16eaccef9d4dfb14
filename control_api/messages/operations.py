"""The operations on a session's messages."""

from control_api.http.answers.examples import page
from control_api.http.openapi.operation import Answer, Operation
from control_api.http.requests.query_parameters import after_seq, page_size
from control_api.messages import examples, routes
from control_api.messages.delivery import DELIVERY_SECONDS
from control_api.messages.models import Message, MessageList, PostMessageRequest
from control_api.sessions.one_session import ONE_SESSION

MESSAGE_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="list_messages",
        method="GET",
        path=ONE_SESSION + "/messages",
        tag="Messages",
        summary="Messages of a session, oldest first",
        description="Messages posted to this API and messages written in the room (text streams, topic lk.chat).",
        scope="sessions:read",
        handler=routes.list_messages,
        query=(after_seq("messages"), page_size()),
        answers=(Answer(200, "A page of messages.", MessageList, page(examples.MESSAGE, cursor="3")),),
    ),
    Operation(
        name="post_message",
        counts_as="message",
        method="POST",
        path=ONE_SESSION + "/messages",
        tag="Messages",
        summary="Send a message to a session",
        description=(
            "The session's worker puts the message into the room (text stream, topic lk.chat). status is sent if that "
            f"was done within {DELIVERY_SECONDS:g} s; otherwise it is queued, and the message is sent once the session "
            "runs. The first message of a text session makes the session running. A session that is ending or "
            "terminal takes no message: 409 session.not_running."
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
