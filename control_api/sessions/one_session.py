"""What the operations on one session have in common."""

from control_api.http.openapi.operation import Answer
from control_api.sessions import examples
from control_api.sessions.resource import SessionResource

ONE_SESSION = "/v1/sessions/{session_id}"
MADE_AT = "/v1/sessions/{id}"
SESSION_ANSWER = Answer(200, "The session.", SessionResource, examples.SESSION)
