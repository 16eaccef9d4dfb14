"""What LiveKit's reason for a disconnect means for a session."""

import pytest

from worker.run.watching.disconnects import Drop, meaning


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
