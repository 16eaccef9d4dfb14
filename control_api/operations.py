"""The table of operations: routes and OpenAPI document both come from it, so neither lacks what the other has.

A module per kind of thing, each with its rows; the other documents' rows are in `control_api.adapters`.
"""

from control_api.adapters.agent_sessions.operations import AGENT_SESSION_OPERATIONS
from control_api.adapters.session_outputs.operations import SESSION_OUTPUT_OPERATIONS
from control_api.adapters.task_sessions.operations import TASK_SESSION_OPERATIONS
from control_api.api_keys.operations import API_KEY_OPERATIONS
from control_api.events.operations import SESSION_LOG_OPERATIONS
from control_api.http.openapi.operation import Operation
from control_api.messages.operations import MESSAGE_OPERATIONS
from control_api.recordings.operations import RECORDING_OPERATIONS
from control_api.service.operations import SERVICE_OPERATIONS
from control_api.sessions.command_operations import SESSION_COMMANDS
from control_api.sessions.operations import SESSION_OPERATIONS
from control_api.transcripts.operations import TRANSCRIPT_OPERATIONS
from control_api.usage.operations import USAGE_OPERATIONS

OPERATIONS: tuple[Operation, ...] = (
    *SESSION_OPERATIONS,
    *SESSION_COMMANDS,
    *SESSION_LOG_OPERATIONS,
    *MESSAGE_OPERATIONS,
    *RECORDING_OPERATIONS,
    *TRANSCRIPT_OPERATIONS,
    *USAGE_OPERATIONS,
    *API_KEY_OPERATIONS,
    *SERVICE_OPERATIONS,
    *AGENT_SESSION_OPERATIONS,
    *TASK_SESSION_OPERATIONS,
    *SESSION_OUTPUT_OPERATIONS,
)
