"""What a disconnect means for a session: the table of livekit.md, as data."""

from enum import Enum, auto


class Drop(Enum):
    """Why a room was lost, as far as it decides what comes next."""

    ASKED = auto()  # we left; if we did not ask for it, it is weather
    CLOSED = auto()  # the room is gone: ended, end.room_closed
    REMOVED = auto()  # we were thrown out: ended, end.removed; never rejoin
    DUPLICATE = auto()  # somebody joined with our identity: ask the database
    REFUSED = auto()  # failed, room.join_failure
    WEATHER = auto()  # stay running, rejoin with backoff


_TABLE = {
    "CLIENT_INITIATED": Drop.ASKED,
    "ROOM_CLOSED": Drop.CLOSED,
    "ROOM_DELETED": Drop.CLOSED,
    "PARTICIPANT_REMOVED": Drop.REMOVED,
    "DUPLICATE_IDENTITY": Drop.DUPLICATE,
    "JOIN_FAILURE": Drop.REFUSED,
}


def meaning(reason: str) -> Drop:
    """What LiveKit's DisconnectReason named `reason` means; whatever is not in the table is weather."""
    return _TABLE.get(reason, Drop.WEATHER)
