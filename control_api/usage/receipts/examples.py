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
    "heard": [
        {
            "identity": "alice",
            "participant_name": "Alice",
            "name": "microphone",
            "side": "room",
            "milliseconds": 47_290,
        }
    ],
    "gaps": [{"code": "gap.storage", "fault": "platform", "milliseconds": 4500, "credited_ms": 4499}],
    "absences": {"milliseconds": 8210, "credited_ms": 8210},
    "billed": {
        "counted_ms": 60_000,
        "credited_ms": 12_709,
        "milliseconds": 47_291,
        "multiplier": "1.000",
        "credits": "47.291",
    },
    "balances": True,
    "imbalances": [],
}
