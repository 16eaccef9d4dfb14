"""The example of a receipt for the OpenAPI document."""

from control_api.http.answers.examples import SESSION_ID

RECEIPT = {
    "object": "receipt",
    "session_id": SESSION_ID,
    "provisional": False,
    "clock": {
        "started_at": "2026-11-22T02:37:58.000Z",
        "ending_at": "2026-11-22T02:38:58.000Z",
        "milliseconds": 60_000,
    },
    "recording": {"state": "incomplete", "milliseconds": 60_000},
    "heard": [{"identity": "alice", "name": "microphone", "side": "room", "milliseconds": 55_500}],
    "gaps": [{"code": "gap.storage", "fault": "platform", "milliseconds": 4500, "credited_ms": 4499}],
    "billed": {
        "counted_ms": 60_000,
        "credited_ms": 4499,
        "milliseconds": 55_501,
        "multiplier": "1.000",
        "credits": "55.501",
    },
    "balances": True,
    "imbalances": [],
}
