"""Examples of usage for the OpenAPI document."""

from control_api.http.answers.examples import SESSION_ID

USAGE_EVENT = {
    "id": "ue_6QZ1V6C0J8Q4V9M7T8Y6R3N1C0",
    "object": "usage_event",
    "session_id": SESSION_ID,
    "epoch": 1,
    "kind": "accrual",
    "code": None,
    "from_ms": 0,
    "to_ms": 60012,
    "milliseconds": 60012,
    "quality": "standard",
    "multiplier": "1.000",
    "credits": "60.012",
    "external_customer_id": None,
    "recorded_at": "2026-11-22T02:38:58.001Z",
}
_SUMS = {"milliseconds": 5_412_870, "billable_seconds": 5412, "credits": "5412.870", "events": 97}
USAGE = {
    "object": "usage",
    "period": {
        "start": "2026-10-31T23:00:00.000Z",
        "end": "2026-11-30T23:00:00.000Z",
        "time_zone": "Europe/Berlin",
        "as_of": "2026-11-22T02:37:27.123Z",
        "complete": False,
    },
    "totals": _SUMS,
    "group_by": "quality",
    "groups": [{**_SUMS, "object": "usage_group", "group_by": "quality", "value": "standard"}],
    "has_more": False,
    "next_cursor": None,
}
VERIFICATION = {
    "object": "usage_verification",
    "period": USAGE["period"],
    "sessions": 37,
    "running": 2,
    "balances": False,
    "unbalanced": [
        {
            "session_id": SESSION_ID,
            "milliseconds": 60_012,
            "credits": "61.012",
            "recomputed_credits": "60.012",
            "imbalances": ["row 1 says 61.012 credits, but 60.012 s × 1.000 are 60.012"],
        }
    ],
    "has_more": False,
    "next_cursor": None,
}
