"""Paths, codes and the answer that the operations on one session share."""

from control_api.http.openapi.operation import Answer
from control_api.sessions.bodies import examples
from control_api.sessions.bodies.resource_models import SessionResource

ONE_SESSION = "/v1/sessions/{session_id}"
MADE_AT = "/v1/sessions/{id}"
ERASURE_CODES = ("session.active", "commit.unknown")  # why a session is not erased, or nobody can tell
SESSION_ANSWER = Answer(200, "The session.", SessionResource, examples.SESSION)
