"""The commands to a session: `POST …/{verb}` without a body, answered by the session as it then is."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from control_api import examples
from control_api.call import Call
from control_api.operation import Answer, Operation
from control_api.schemas.commands import EmptyRequest
from control_api.schemas.session_resource import SessionResource

ONE_SESSION = "/v1/sessions/{session_id}"
SESSION_ANSWER = Answer(200, "The session.", SessionResource, examples.SESSION)


def session_command(
    verb: str,
    *,
    summary: str,
    description: str,
    handler: Callable[[Call], Awaitable[web.StreamResponse]],
    errors: tuple[str, ...] = (),
) -> Operation:
    """The operation `{verb}_session`; all commands ask for the same scope and take an empty body, or none."""
    return Operation(
        name=f"{verb}_session",
        method="POST",
        path=f"{ONE_SESSION}/{verb}",
        tag="Sessions",
        summary=summary,
        description=description,
        scope="sessions:write",
        handler=handler,
        body=EmptyRequest,
        body_required=False,
        request_examples={"empty": {}},
        answers=(SESSION_ANSWER,),
        errors=errors,
    )
