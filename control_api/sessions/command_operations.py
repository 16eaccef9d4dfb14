"""The rows of the commands to a session (`POST …/{verb}` without a body) and of its new worker token."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from control_api.http.openapi.operation import Operation, command
from control_api.http.requests.call import Call
from control_api.sessions import command_routes
from control_api.sessions.bodies.request_models import ReplaceWorkerTokenRequest
from control_api.sessions.bodies.transport_reading import TOKEN_CODES
from control_api.sessions.one_session import ONE_SESSION, SESSION_ANSWER


def _command(
    verb: str,
    *,
    summary: str,
    description: str,
    handler: Callable[[Call], Awaitable[web.StreamResponse]],
    errors: tuple[str, ...] = (),
) -> Operation:
    """The operation `{verb}_session`; all commands ask for the same scope and take an empty body, or none."""
    return command(
        name=f"{verb}_session",
        path=f"{ONE_SESSION}/{verb}",
        tag="Sessions",
        summary=summary,
        description=description,
        scope="sessions:write",
        handler=handler,
        answers=(SESSION_ANSWER,),
        errors=errors,
    )


SESSION_COMMANDS: tuple[Operation, ...] = (
    _command(
        "end",
        summary="End a session",
        description=(
            "Recording stops after what is still on its way has arrived, and the recording is kept. A session that "
            "never ran is canceled. A session that is ending or terminal stays as it is: 200."
        ),
        handler=command_routes.end_session,
    ),
    _command(
        "cancel",
        summary="Cancel a session",
        description=(
            "Recording stops at once, whatever is still on its way; what was recorded is kept. A session that is "
            "ending or terminal stays as it is: 200."
        ),
        handler=command_routes.cancel_session,
    ),
    _command(
        "pause",
        summary="Pause a session",
        description=(
            "The worker stays in the room; from paused_at on nothing is recorded, stored or billed. In the file the "
            "pause is silence, or left out (recording.on_pause). A paused session stays as it is: 200."
        ),
        handler=command_routes.pause_session,
        errors=("transition.invalid",),
    ),
    _command(
        "resume",
        summary="Resume a paused session",
        description="Recording and billing go on. A running session stays as it is: 200.",
        handler=command_routes.resume_session,
        errors=("transition.invalid",),
    ),
    _command(
        "archive",
        summary="Archive a session",
        description=(
            "Lists leave the session out, unless they are asked for archived ones. It runs, bills and ends as before. "
            "An archived session stays as it is: 200."
        ),
        handler=command_routes.archive_session,
    ),
    _command(
        "restore",
        summary="Restore an archived session",
        description="Lists show the session again. A session that is not archived stays as it is: 200.",
        handler=command_routes.restore_session,
    ),
    Operation(
        name="replace_worker_token",
        method="PUT",
        path=ONE_SESSION + "/worker_token",
        tag="Sessions",
        summary="Replace the worker token",
        description="The new token must be for the same room and the same sub. The worker's next join uses it.",
        scope="sessions:write",
        handler=command_routes.replace_worker_token,
        body=ReplaceWorkerTokenRequest,
        request_examples={"fresh_token": {"worker_token": "<a LiveKit access token>"}},
        answers=(SESSION_ANSWER,),
        errors=("transition.invalid", "audio_source.unsupported", *TOKEN_CODES),
    ),
)
