"""The operations that change a session beside its status."""

from control_api.operation import Answer, Operation
from control_api.routes import session_edits
from control_api.schemas.session_edits import UpdateSessionRequest
from control_api.session_command import ONE_SESSION, SESSION_ANSWER, session_command

SESSION_EDIT_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="update_session",
        method="PATCH",
        path=ONE_SESSION,
        tag="Sessions",
        summary="Change title, tags or metadata",
        description="What is sent replaces what was there, as a whole; what is left out stays.",
        scope="sessions:write",
        handler=session_edits.update_session,
        body=UpdateSessionRequest,
        request_examples={"title": {"title": "Refund of order 4711"}, "tags": {"tags": ["support", "refund"]}},
        answers=(SESSION_ANSWER,),
    ),
    Operation(
        name="delete_session",
        method="DELETE",
        path=ONE_SESSION,
        tag="Sessions",
        summary="Delete a session",
        description=(
            "Erases its content: audio, transcript, messages, summary, events, whatever was kept of its requests. The "
            "usage ledger stays. Afterwards the id answers 404. A queued session is canceled first; one that is "
            "starting, running, paused or ending has to be ended before."
        ),
        scope="sessions:delete",
        handler=session_edits.delete_session,
        answers=(Answer(204, "No content"),),
        errors=("session.active", "commit.unknown"),
    ),
    session_command(
        "archive",
        summary="Archive a session",
        description="Lists leave it out, unless asked. It runs, bills and ends as before. Archived: unchanged, 200.",
        handler=session_edits.archive_session,
    ),
    session_command(
        "restore",
        summary="Restore an archived session",
        description="Lists show it again. Not archived: unchanged, 200.",
        handler=session_edits.restore_session,
    ),
)
