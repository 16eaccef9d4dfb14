"""What commands say of a session in a line."""

from typing import Any

import pytest

from parley.api_commands.session_end import told


def session(status: str, *, code: str | None = None, message: str | None = None, **usage: Any) -> dict[str, Any]:
    """What the API says of one that has run."""
    return {
        "status": status,
        "end_reason": "end.requested" if status == "ended" else None,
        "error": None if code is None else {"code": code, "message": message},
        "started_at": "2026-11-30T09:00:00.000Z",
        "usage": {"billable_ms": 9812, "credited_ms": 0, "provisional": False, **usage},
    }


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        (session("ended"), "ended, end.requested, 9.8 s billed"),
        (session("ended", credited_ms=9812), "ended, end.requested, 0.0 s billed"),
        (session("running", provisional=True), "running, 9.8 s counted"),
        (
            session("failed", code="room.refused", message="nothing listens at the room's URL"),
            "failed, room.refused: nothing listens at the room's URL. See whether the LiveKit server is up, and the"
            " port of the room's URL right.",
        ),
        (session("failed", code="of.tomorrow"), "failed, of.tomorrow:"),
    ],
)
def test_only_what_is_charged_is_called_billed(resource: dict[str, Any], words: str) -> None:
    """Time in which nobody came is counted, and given back."""
    assert told(resource) == words
