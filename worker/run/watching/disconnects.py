"""What a disconnect means for a session, by the reason that LiveKit gives."""

from enum import Enum, auto


class Drop(Enum):
    """Why a room was lost, as far as it decides what comes next."""

    ASKED = auto()  # the worker left; if nobody wanted that, it counts as weather
    CLOSED = auto()  # the room is gone: ended, end.room_closed
    REMOVED = auto()  # somebody removed the worker: ended, end.removed; never rejoin
    DUPLICATE = auto()  # somebody joined with the worker's identity: ask the database who
    REFUSED = auto()  # the server did not let the worker in: failed, room.join_failure
    WEATHER = auto()  # network or server trouble: stay running, rejoin with backoff


_TABLE = {
    "CLIENT_INITIATED": Drop.ASKED,
    "ROOM_CLOSED": Drop.CLOSED,
    "ROOM_DELETED": Drop.CLOSED,
    "PARTICIPANT_REMOVED": Drop.REMOVED,
    "DUPLICATE_IDENTITY": Drop.DUPLICATE,
    "JOIN_FAILURE": Drop.REFUSED,
}


def meaning(reason: str) -> Drop:
    """What LiveKit's DisconnectReason named `reason` means; one that is not in the table is `Drop.WEATHER`."""
    return _TABLE.get(reason, Drop.WEATHER)


_NOTICED_BY_US = frozenset({"UNKNOWN_REASON", "SIGNAL_CLOSE", "CONNECTION_TIMEOUT", "MEDIA_FAILURE", "EVENT_OVERFLOW"})


def told_by_server(reason: str) -> bool:
    """Whether the server said it, so that the connection was there until then; else the SDK has found out late."""
    return reason not in _NOTICED_BY_US
