"""What the operations on one session have in common."""

from control_api import examples
from control_api.operation import Answer
from control_api.schemas.session_resource import SessionResource

ONE_SESSION = "/v1/sessions/{session_id}"
SESSION_ANSWER = Answer(200, "The session.", SessionResource, examples.SESSION)
