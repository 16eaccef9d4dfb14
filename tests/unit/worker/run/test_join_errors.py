"""What the SDK says about a failed join, as a code and nothing else."""

import pytest

from worker.room.livekit_joining import join_error
from worker.run.disconnects import Drop, meaning

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"engine: signal failure: client error: 401 Unauthorized - invalid token: {TOKEN}", "worker_token.rejected"),
        ("engine: signal failure: client error: 403 Forbidden - abc", "worker_token.rejected"),
        ("engine: signal failure: client error: 404 Not Found - 401", "room.join_failure"),
        ("engine: signal failure: server error: 500 Internal Server Error - IO error", "room.join_failure"),
        (
            "engine: signal failure: transport connection error: IO error: Connection refused (os error 111)",
            "room.unreachable",
        ),
        ("engine: signal failure: transport timed out", "room.join_timeout"),
        ("something new", "room.join_failure"),
    ],
)
def test_every_answer_has_its_code_and_none_of_its_text(text: str, code: str) -> None:
    """Texts as SDK 1.2.1 makes them (measured)."""
    error = join_error(text)
    assert error.code == code
    assert TOKEN not in str(error)


@pytest.mark.parametrize(
    ("reason", "drop"),
    [
        ("ROOM_DELETED", Drop.CLOSED),
        ("ROOM_CLOSED", Drop.CLOSED),
        ("PARTICIPANT_REMOVED", Drop.REMOVED),
        ("DUPLICATE_IDENTITY", Drop.DUPLICATE),
        ("JOIN_FAILURE", Drop.REFUSED),
        ("SERVER_SHUTDOWN", Drop.WEATHER),
        ("STATE_MISMATCH", Drop.WEATHER),
        ("UNKNOWN_REASON", Drop.WEATHER),
        ("EVENT_OVERFLOW", Drop.WEATHER),
    ],
)
def test_every_disconnect_has_its_meaning(reason: str, drop: Drop) -> None:
    """A room that closed, a removal, a second holder of the identity, a refusal; everything else is weather."""
    assert meaning(reason) is drop
