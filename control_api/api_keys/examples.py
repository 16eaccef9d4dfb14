"""Examples of API keys for the OpenAPI document."""

from typing import Any

from control_api.http.answers.examples import AGENT_ID, API_KEY_ID, TIME

MAKER_KEY_ID = "key_01KB2F0000Q4V9M7T8Y6R3N1C0"

API_KEY: dict[str, Any] = {
    "id": API_KEY_ID,
    "object": "api_key",
    "organization_id": "org_01KB2F0000Q4V9M7T8Y6R3N1C0",
    "kind": "agent",
    "agent_id": AGENT_ID,
    "name": "support bot",
    "scopes": ["sessions:read", "sessions:write"],
    "prefix": "parley_agent_",
    "last_four": "hW4k",
    "created_at": TIME,
    "expires_at": "2027-11-22T00:00:00.000Z",
    "revoked_at": None,
    "last_used_at": None,
    "created_by": MAKER_KEY_ID,
    "replaced_by": None,
}
NEW_API_KEY: dict[str, Any] = {**API_KEY, "key": "<the key: shown now and never again>"}
CREATE_AGENT_KEY: dict[str, Any] = {
    "kind": "agent",
    "agent_id": AGENT_ID,
    "scopes": ["sessions:read", "sessions:write"],
    "expires_at": "2027-11-22T00:00:00.000Z",
    "name": "support bot",
}
