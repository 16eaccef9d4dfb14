"""Which stretch a reconnect of the SDK's own costs."""

from worker.room.events import AudioSubscribed, AudioUnsubscribed, Reconnected, Reconnecting, RemoteTrack, RoomEvent
from worker.room.reconnect_hole import ReconnectHole

SECOND = 1_000_000_000
LOST = AudioUnsubscribed("TR_1")
BACK = AudioSubscribed(RemoteTrack("TR_2", "ann", "microphone"))


def holes(*events: tuple[float, RoomEvent]) -> list[tuple[float, float]]:
    """The holes that these events close, in seconds."""
    hole = ReconnectHole()
    found = [hole.take(event, round(at * SECOND)) for at, event in events]
    return [(one[0] / SECOND, one[1] / SECOND) for one in found if one is not None]


def test_a_resumed_connection_leaves_no_hole() -> None:
    """Tracks were there all the time; one that is published later opens none."""
    assert holes((1, Reconnecting()), (2, Reconnected()), (3, BACK)) == []


def test_tracks_lost_while_reconnecting_are_missed_from_its_beginning() -> None:
    """Media may have stopped before the tracks were said to have ended."""
    assert holes((1, Reconnecting()), (1.5, LOST), (2, Reconnected()), (2.3, BACK)) == [(1, 2.3)]


def test_tracks_lost_right_before_a_reconnect_are_missed_from_there() -> None:
    """A reconnect that the server asks for ends the tracks first."""
    assert holes((0.9, LOST), (1, Reconnecting()), (2, Reconnected()), (2.3, BACK)) == [(0.9, 2.3)]


def test_a_track_that_ended_long_before_is_not_missed() -> None:
    """Its participant had taken it back."""
    assert holes((1, LOST), (5, Reconnecting()), (6, Reconnected()), (7, BACK)) == []


def test_tracks_that_do_not_come_back_are_missed_until_the_reconnect_was_done() -> None:
    """Ann left meanwhile; Bob, who comes a minute later, was not there before."""
    hole = ReconnectHole()
    for at, event in ((1, Reconnecting()), (1, LOST), (2, Reconnected())):
        assert hole.take(event, at * SECOND) is None
    assert hole.expired(3 * SECOND) is None
    assert hole.expired(60 * SECOND) == (1 * SECOND, 2 * SECOND)
    assert hole.take(BACK, 62 * SECOND) is None


def test_every_track_of_a_reconnect_belongs_to_one_hole() -> None:
    """It is closed once."""
    assert holes((1, Reconnecting()), (1, LOST), (1, LOST), (2, Reconnected()), (2, BACK), (2.1, BACK)) == [(1, 2)]
