"""The table of operations. Routes and OpenAPI document are both made from it, so neither lacks what the other has.

Each room of `control_api` has its rows in a module `operations`; the rows of the other styles are in `adapters`.
"""

from control_api.adapters.agent_sessions.operations import AGENT_SESSION_OPERATIONS
from control_api.adapters.session_outputs.operations import SESSION_OUTPUT_OPERATIONS
from control_api.adapters.task_sessions.operations import TASK_SESSION_OPERATIONS
from control_api.api_keys.operations import API_KEY_OPERATIONS
from control_api.events.operations import SESSION_LOG_OPERATIONS
from control_api.events.organization_operations import EVENT_LOG_OPERATIONS
from control_api.events.webhook_bodies import EVENT_WEBHOOKS
from control_api.http.openapi.operation import Operation
from control_api.messages.operations import MESSAGE_OPERATIONS
from control_api.outputs.recordings.operations import RECORDING_OPERATIONS
from control_api.outputs.transcripts.operations import TRANSCRIPT_OPERATIONS
from control_api.service.operations import SERVICE_OPERATIONS
from control_api.service.operator.operations import OPERATOR_OPERATIONS
from control_api.sessions.command_operations import SESSION_COMMANDS
from control_api.sessions.operations import SESSION_OPERATIONS
from control_api.usage.operations import USAGE_OPERATIONS
from control_api.usage.receipts.operations import RECEIPT_OPERATIONS
from control_api.webhooks.operations import WEBHOOK_OPERATIONS

OPERATIONS: tuple[Operation, ...] = (
    *SESSION_OPERATIONS,
    *SESSION_COMMANDS,
    *SESSION_LOG_OPERATIONS,
    *EVENT_LOG_OPERATIONS,
    *MESSAGE_OPERATIONS,
    *RECORDING_OPERATIONS,
    *TRANSCRIPT_OPERATIONS,
    *USAGE_OPERATIONS,
    *RECEIPT_OPERATIONS,
    *API_KEY_OPERATIONS,
    *WEBHOOK_OPERATIONS,
    *SERVICE_OPERATIONS,
    *OPERATOR_OPERATIONS,
    *AGENT_SESSION_OPERATIONS,
    *TASK_SESSION_OPERATIONS,
    *SESSION_OUTPUT_OPERATIONS,
)

# What is sent instead of asked for.
WEBHOOKS = EVENT_WEBHOOKS
