"""Examples of sessions of tasks for the OpenAPI document."""

from control_api.http.answers.examples import SESSION_ID, TIME

CREATE_TASK_SESSION = {"agent_id": "CLAUDE_CODE", "task_id": "task-xyz", "prompt": "Initial prompt for the session"}
CREATED_TASK_SESSION = {
    "id": SESSION_ID,
    "agent_id": "CLAUDE_CODE",
    "task_id": "task-xyz",
    "status": "created",
    "created_at": TIME,
}
TASK_SESSION = {**CREATED_TASK_SESSION, "status": "active", "last_active": TIME, "message_count": 42}
TASK_SESSION_DETAILS = {
    **TASK_SESSION,
    "data": {"workdir": "/path/to/project", "model": "claude-3-sonnet"},
}
SENT_MESSAGE = {"message_id": "msg_01KB2F6A00Q4V9M7T8Y6R3N1C0", "status": "sent", "timestamp": TIME}
