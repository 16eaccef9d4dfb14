"""What schemathesis can't make up by itself: worker tokens, ids that belong together, periods that are some.

Loaded by the schemathesis process (SCHEMATHESIS_HOOKS). Only cases that are meant to be right are mended.
"""

from itertools import count
from typing import Any

import schemathesis
from schemathesis import Case, GenerationMode, HookContext

from tests.support.api_server import ROOM_URL, worker_token

_numbers = count()


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Mend the case in place."""
    del context, kwargs
    if case.meta is not None and case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if isinstance(case.body, dict):
        _mend_body(case.operation.definition.raw.get("operationId"), case.body)
    if case.headers and "Idempotency-Key" in case.headers:  # else the second body with it is refused
        case.headers["Idempotency-Key"] = f"{case.headers['Idempotency-Key'][:240]}-{next(_numbers)}"
    if case.query and case.query.get("type") == "project":
        case.query["projectId"] = case.query.get("projectId") or "proj_42"
    if case.path == "/v1/usage" and case.query:
        _mend_period(case.query)


def _mend_body(operation: str, body: dict[str, Any]) -> None:
    if isinstance(body.get("transport"), dict):
        body["transport"] = _transport(body["transport"])
        body.pop("start_at", None)  # a time ahead, while the token lives
        body["max_duration_seconds"] = 60
    if isinstance(body.get("data"), dict) and "transport" in body["data"]:
        body["data"]["transport"] = _transport({})
    if isinstance(body.get("status"), str):  # unknown words are 400, whatever the schema calls a text
        body["status"] = "paused"
    if isinstance(body.get("worker_token"), str):
        body["worker_token"] = worker_token("room")
    if operation == "create_api_key":
        body.pop("expires_at", None)  # a time ahead
        if body.get("kind", "master") == "agent":
            body["agent_id"] = body.get("agent_id") or "agent_x"
            body["scopes"] = body.get("scopes") or ["sessions:read"]
        else:
            body.pop("agent_id", None)
            body.pop("scopes", None)


def _transport(transport: dict[str, Any]) -> dict[str, Any]:
    """A real JWT for a room of its own at a public URL."""
    room = f"room-{next(_numbers)}"
    kept = {
        name: transport[name] for name in ("subscribe_to_identity", "synthetic_audio_if_no_input") if name in transport
    }
    return {**kept, "type": "livekit", "url": ROOM_URL, "room_name": room, "worker_token": worker_token(room)}


def _mend_period(query: dict[str, Any]) -> None:
    """A month or two edges, a zone that exists, a cursor only with groups."""
    if "period_start" in query or "period_end" in query:
        query.pop("period", None)
        query["period_start"], query["period_end"] = "2026-01-01", "2026-02-01T00:00:00Z"
    if "time_zone" in query:
        query["time_zone"] = "Europe/Berlin"
    if "group_by" not in query:
        query.pop("after", None)
