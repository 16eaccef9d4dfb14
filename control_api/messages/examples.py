"""An example of a message for the OpenAPI document."""

from control_api.http.answers.examples import SESSION_ID, TIME

MESSAGE = {
    "id": "msg_01KB2F6A00Q4V9M7T8Y6R3N1C0",
    "object": "message",
    "session_id": SESSION_ID,
    "seq": 3,
    "role": "user",
    "speaker": None,
    "identity": None,
    "content": "Please continue with the implementation",
    "text": "Please continue with the implementation",
    "source": "api",
    "status": "sent",
    "created_at": TIME,
    "delivered_at": "2026-11-22T02:37:57.140Z",
}
