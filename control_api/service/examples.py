"""Examples of what the service says of itself for the OpenAPI document."""

from typing import Any

CODE = {
    "object": "code",
    "code": "end.max_duration",
    "kind": "end",
    "fault": "none",
    "retryable": False,
    "billable": True,
    "http_status": None,
    "help": "max_duration_seconds have passed.",
}
OPENAPI = {"openapi": "3.1.1", "info": {"title": "Parley", "version": "0.1.0"}, "paths": {}}
DEPENDENCIES = {"database": "ok", "storage": "ok"}
LIMITS: dict[str, Any] = {
    "object": "limits",
    "organization_id": "org_01JD9Z7F3M0000000000000000",
    "requests_per_second": {"limit": 500, "remaining": 4999},
    "key_requests_per_second": {"limit": 250, "remaining": 2499},
    "creates_per_minute": {"limit": 6000, "remaining": 6000},
    "messages_per_minute": {"limit": 1200, "remaining": 1200},
    "concurrent_sessions": {"limit": 50, "used": 12, "remaining": 38},
    "queued_sessions": {"limit": 10000, "used": 2, "remaining": 9998},
    "api_keys": {"limit": 1000, "used": 3, "remaining": 997},
    "answers_mb": {"limit": 10000, "used": 2, "remaining": 9998},
}
