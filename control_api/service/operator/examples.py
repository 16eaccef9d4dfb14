"""An example of the overview for the OpenAPI document."""

from typing import Any

from control_api.http.answers.examples import TIME

OVERVIEW: dict[str, Any] = {
    "object": "operator_overview",
    "version": "0.1.0",
    "as_of": TIME,
    "queue": {"waiting": 3, "oldest_wait_seconds": 1.4, "scheduled": 0},
    "sessions": {"starting": 1, "running": 38, "paused": 2, "ending": 1},
    "workers": {
        "processes": {"api": 2, "recorders": 4, "jobs": 4, "webhooks": 2},
        "slots": 100,
        "slots_used": 41,
        "hosts": [{"host": "worker-1", "processes": 2, "sessions": 41, "oldest_beat_seconds": 2.8}],
    },
    "jobs": [{"name": "recordings.finalize", "waiting": 1, "running": 1, "failed": 0, "oldest_wait_seconds": 0.3}],
    "storage": {
        "status": "ok",
        "troubles": [],
        "local": False,
        "free_bytes": None,
        "unsealed_runs": 1,
        "erasures": 0,
        "failing_erasures": 0,
    },
    "last_hour": {
        "created": 212,
        "wait_median_seconds": 0.2,
        "wait_p95_seconds": 0.9,
        "wait_most_seconds": 2.1,
        "ended": 205,
        "failed": 2,
        "canceled": 1,
        "incomplete_recordings": 0,
        "faults": {"customer": 2, "transport": 0, "platform": 0, "none": 0},
        "failures": [{"code": "worker_token.expired", "fault": "customer", "sessions": 2}],
    },
}
