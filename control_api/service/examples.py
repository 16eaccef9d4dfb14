"""Examples of what the service says of itself for the OpenAPI document."""

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
