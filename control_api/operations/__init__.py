"""The table of operations: routes and OpenAPI document both come from it, so neither lacks what the other has.

A module per kind of thing, each with its rows; the other documents' rows are in `control_api.adapters`.
"""

from control_api.adapters import agent_sessions_operations, session_outputs_operations, task_sessions_operations
from control_api.operation import Operation
from control_api.operations.api_keys import API_KEY_OPERATIONS
from control_api.operations.messages import MESSAGE_OPERATIONS
from control_api.operations.recordings import RECORDING_OPERATIONS
from control_api.operations.service import SERVICE_OPERATIONS
from control_api.operations.session_commands import SESSION_COMMANDS
from control_api.operations.session_logs import SESSION_LOG_OPERATIONS
from control_api.operations.sessions import SESSION_OPERATIONS
from control_api.operations.transcripts import TRANSCRIPT_OPERATIONS
from control_api.operations.usage import USAGE_OPERATIONS

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
    *agent_sessions_operations.OPERATIONS,
    *task_sessions_operations.OPERATIONS,
    *session_outputs_operations.OPERATIONS,
)
