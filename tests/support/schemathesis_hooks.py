"""What schemathesis can't make up by itself: worker tokens, and what the server's settings allow.

Loaded by the schemathesis process (SCHEMATHESIS_HOOKS). Only cases that are meant to be right are mended.
"""

from typing import Any

import schemathesis
from schemathesis import Case, GenerationMode, HookContext

from tests.support.api_server import ROOM_URL, worker_token

_numbers = iter(range(10**9))


@schemathesis.hook
def map_case(context: HookContext, case: Case) -> Case:
    """A real JWT for the room, a public URL, a room of its own, a transport that is served."""
    del context
    if case.meta is not None and case.meta.generation.mode is not GenerationMode.POSITIVE:
        return case
    body = case.body
    if isinstance(body, dict) and isinstance(body.get("transport"), dict):
        body["transport"] = _transport(body["transport"])
    if isinstance(body, dict) and isinstance(body.get("worker_token"), str):
        body["worker_token"] = worker_token("room")
    return case


def _transport(transport: dict[str, Any]) -> dict[str, Any]:
    room = f"room-{next(_numbers)}"
    mended = {
        name: transport[name] for name in ("subscribe_to_identity", "synthetic_audio_if_no_input") if name in transport
    }
    return {**mended, "type": "livekit", "url": ROOM_URL, "room_name": room, "worker_token": worker_token(room)}
