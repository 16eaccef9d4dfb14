"""Which stretch an outage costs, however it begins and ends."""

from dataclasses import dataclass, field

import pytest

from worker.room.events import (
    AudioMuted,
    AudioPublished,
    AudioSubscribed,
    AudioUnsubscribed,
    Reconnected,
    Reconnecting,
    RemoteTrack,
    RoomEvent,
)
from worker.room.missing.connection_proof import ConnectionReading, PairCounters
from worker.room.missing.heard_track import HeardTrack, MadeUp, Missing
from worker.room.missing.room_hole import RoomHole

SECOND = 1_000_000_000
LOST = AudioUnsubscribed("TR_ann")


@dataclass
class Scene:
    """A run whose room ann talks in from second 0 on; everything in seconds."""

    hole: RoomHole = field(default_factory=lambda: RoomHole(10 * SECOND))
    found: list[Missing] = field(default_factory=list)
    tracks: list[HeardTrack] = field(default_factory=list)
    packets: int = 0

    def __post_init__(self) -> None:
        self.hole.entered(0)
        self.hear(0.1, "ann")

    def hear(self, at: float, identity: str) -> None:
        """The first frame of a new track."""
        kept = [track for track in self.tracks if track.identity != identity]
        self.tracks = [*kept, HeardTrack(f"TR_{identity}", identity, ns(at), ns(at))]
        self.look(at)

    def media(self, *at: float) -> None:
        """Readings, each with media up to it."""
        for one in at:
            self.packets += 100
            self.read(one, one)

    def make_up(self, at: float, packets: float) -> None:
        """Frames of ann come until now, her packets came until then, and a reading tells of nothing new."""
        self.tracks = [HeardTrack("TR_ann", "ann", ns(0.1), ns(at), ns(packets))]
        self.read(at, 2)

    def read(self, at: float, last: float | None) -> None:
        pair = PairCounters(self.packets, 1, None if last is None else ns(last))
        self.hole.read(ConnectionReading(ns(at), ns(at), {"CP": pair}), ns(at))
        self.look(at)

    def happen(self, at: float, *events: RoomEvent) -> None:
        for event in events:
            if isinstance(event, AudioUnsubscribed):
                self.tracks = [track for track in self.tracks if track.sid != event.sid]
            self.hole.take(event, ns(at))
        self.look(at)

    def drop(self, at: float, *, told: bool = False) -> None:
        self.hole.dropped(ns(at), told=told)
        self.tracks = []
        self.packets = 0
        self.look(at)

    def enter(self, at: float) -> None:
        self.hole.entered(ns(at))
        self.look(at)

    def look(self, at: float) -> None:
        self.found += self.hole.look(ns(at), self.tracks)

    def end(self, at: float) -> None:
        self.found += self.hole.close(ns(at), self.tracks)

    @property
    def gaps(self) -> list[tuple[str, float, float]]:
        """What was found, whoever it is about."""
        return [(code, start, end) for code, start, end, _ in self.owned]

    @property
    def owned(self) -> list[tuple[str, float, float, str | None]]:
        """What was found and whom it is about, pieces that touch as one."""
        gaps: list[tuple[str, float, float, str | None]] = []
        for one in self.found:
            code, start, end, whose = one.code, one.from_ns / SECOND, one.to_ns / SECOND, one.identity
            if gaps and (gaps[-1][0], gaps[-1][2], gaps[-1][3]) == (code, start, whose):
                gaps[-1] = (code, gaps[-1][1], end, whose)
            else:
                gaps.append((code, start, end, whose))
        return gaps


def ns(seconds: float) -> int:
    return round(seconds * SECOND)


def test_a_session_that_ends_while_nothing_proves_its_room_has_a_gap_to_its_end() -> None:
    """The server died 14 s before, and the SDK has not said a word."""
    scene = Scene()
    scene.media(1, 2)
    for second in range(3, 17):
        scene.read(second, 2)
    scene.end(16)
    assert scene.gaps == [("gap.rejoin", 2, 16)]


def test_an_open_hole_is_handed_out_while_it_is_open() -> None:
    """So that a run that can't close it, because its spool is gone, has lost a second of it."""
    scene = Scene()
    scene.media(1)
    scene.drop(1)
    for second in range(2, 8):
        scene.look(second)
    assert scene.gaps == [("gap.rejoin", 1, 7)]
    assert all(one.lasts for one in scene.found)


@pytest.mark.parametrize("end", [5.5, 5], ids=["later", "right at the last look"])
def test_what_was_handed_out_last_says_whether_the_hole_is_over(end: float) -> None:
    """So that a kill tells what was missing at its instant."""
    scene = Scene()
    scene.media(1)
    scene.drop(1)
    for second in range(2, 6):
        scene.look(second)
    assert scene.found[-1].lasts
    scene.end(end)
    assert (scene.found[-1].lasts, scene.found[-1].to_ns) == (False, ns(end))


def test_an_outage_that_is_not_sure_yet_is_said_to_be_possible_until_the_connection_is_proven() -> None:
    """So that a kill before that tells since when nothing came."""
    scene = Scene()
    scene.media(1, 2)
    for at in (2.5, 2.9, 3, 4):
        scene.make_up(at, packets=2)
    assert scene.found == [Missing("gap.rejoin", ns(2), ns(2), lasts=True)]
    scene.media(5)
    assert scene.found[1:] == [Missing("gap.rejoin", ns(5), ns(5))]


def test_an_outage_that_becomes_sure_lasts_from_where_it_was_possible() -> None:
    """No piece says that it has ended before it has."""
    scene = Scene()
    scene.media(1, 2)
    for second in range(3, 16):
        scene.make_up(second, packets=2)
    assert scene.gaps == [("gap.rejoin", 2, 15)]
    assert scene.found[0].to_ns == ns(2)
    assert all(one.lasts for one in scene.found)


@pytest.mark.parametrize(
    ("muted", "later", "packets"),
    [([], [], 3.2), ([], [True], 2), ([True], [], 2), ([False], [False, True], 2)],
    ids=["packets come", "muted", "muted when it was published", "muted at last"],
)
def test_nobody_doubts_a_connection_over_which_nothing_need_come(
    muted: list[bool], later: list[bool], packets: float
) -> None:
    """Who is muted sends nothing; STUN proves the connection every 2.5 s."""
    scene = Scene()
    scene.happen(0.2, *(AudioPublished("TR_ann", "ann", muted=one) for one in muted))
    scene.media(1, 2)
    scene.happen(2.1, *(AudioMuted("TR_ann", one) for one in later))
    scene.make_up(4, packets=packets)
    assert scene.found == []


def test_a_connection_that_nothing_proves_is_hopeless_once_it_is_too_old() -> None:
    """Readings without an answer count as readings without a proof."""
    scene = Scene()
    scene.media(1)
    for second in range(2, 12):
        scene.hole.read(None, ns(second))
        assert not scene.hole.hopeless
    scene.hole.read(None, ns(12))
    assert scene.hole.hopeless


def test_a_rejoin_ends_with_the_first_frame_of_anybody_and_who_comes_later_has_a_gap_of_their_own() -> None:
    """Joining alone brings no audio; bob is heard at once, and ann comes back a second after the worker."""
    scene = Scene()
    scene.media(1, 2)
    scene.drop(13)
    scene.enter(20)
    scene.hear(20.4, "bob")
    scene.happen(21, AudioPublished("TR_ann", "ann"))
    scene.hear(21.5, "ann")
    scene.media(22, 23)
    scene.end(24)
    assert scene.owned == [("gap.rejoin", 2, 20.4, None), ("gap.rejoin", 20.4, 21.5, "ann")]


def test_whoever_comes_back_ten_seconds_later_keeps_nobody_waiting() -> None:
    """Ann is heard all the time, and what packet loss tears of her meanwhile is named."""
    scene = Scene()
    scene.hear(0.2, "bob")
    scene.media(1, 2)
    scene.drop(13)
    scene.enter(20)
    scene.hear(20.4, "ann")
    scene.media(21, 22, 23, 24)
    scene.hole.made_up(MadeUp(ns(25.0), ns(25.6), "ann"))
    scene.media(26, 27, 28, 29)
    scene.happen(30, AudioPublished("TR_bob", "bob"))
    scene.hear(30.3, "bob")
    scene.media(31, 32)
    assert scene.owned == [
        ("gap.rejoin", 2, 20.4, None),
        ("gap.concealed", 25, 25.6, "ann"),
        ("gap.rejoin", 20.4, 30.3, "bob"),
    ]


def test_a_stranger_who_comes_after_an_outage_has_missed_nothing_by_it() -> None:
    """Bob does not come back; carol, who was never there, comes 8 s later."""
    scene = Scene()
    scene.hear(0.2, "bob")
    scene.media(1, 2)
    scene.drop(13)
    scene.enter(20)
    scene.hear(20.4, "ann")
    scene.media(21, 25)
    scene.happen(28, AudioPublished("TR_carol", "carol"))
    scene.hear(28.3, "carol")
    scene.media(30, 40)
    assert scene.owned == [("gap.rejoin", 2, 20.4, None)]


def test_two_outages_between_which_somebody_is_heard_are_two_holes() -> None:
    """Bob has left during the first one, and ann is heard for ten seconds between them."""
    scene = Scene()
    scene.hear(0.2, "bob")
    scene.media(1, 2)
    scene.drop(13)
    scene.enter(20)
    scene.hear(20.4, "ann")
    scene.media(21, 25, 30)
    scene.drop(30.5)
    for second in range(31, 35):
        scene.look(second)
    scene.enter(35)
    scene.hear(35.4, "ann")
    scene.media(36, 40)
    assert scene.owned == [("gap.rejoin", 2, 20.4, None), ("gap.rejoin", 30, 35.4, None)]


def test_who_left_in_an_outage_long_ago_is_not_awaited_after_the_next_one() -> None:
    """Bob comes again by himself, a second after the worker is back from an outage in which he was not there."""
    scene = Scene()
    scene.hear(0.2, "bob")
    scene.media(1, 2)
    scene.drop(3)
    scene.enter(4)
    scene.hear(4.4, "ann")
    scene.media(*range(5, 61))
    scene.drop(61)
    scene.enter(62)
    scene.hear(62.4, "ann")
    scene.happen(63, AudioPublished("TR_bob", "bob"))
    scene.hear(63.4, "bob")
    assert scene.owned == [("gap.rejoin", 2, 4.4, None), ("gap.rejoin", 60, 62.4, None)]


def test_a_track_that_an_outage_left_alone_is_heard_at_once() -> None:
    """Ann's track ends while the SDK resumes its connection, and bob's goes on."""
    scene = Scene()
    scene.hear(0.2, "bob")
    scene.media(1)
    scene.happen(1.5, Reconnecting(), LOST)
    scene.happen(2, Reconnected())
    scene.hear(3.3, "ann")
    assert scene.owned == [("gap.rejoin", 1, 2, None), ("gap.rejoin", 2, 3.3, "ann")]


def test_whoever_does_not_come_back_is_not_waited_for() -> None:
    """Ann left during the outage; bob was back at once, and nothing of him is missing."""
    scene = Scene()
    scene.hear(0.2, "bob")
    scene.media(1, 2)
    scene.drop(13)
    scene.enter(20)
    scene.hear(20.4, "bob")
    for second in range(21, 40):
        scene.media(second)
    assert scene.gaps == [("gap.rejoin", 2, 20.4)]


@pytest.mark.parametrize(
    ("heard_until", "expected"),
    [(5.35, [("gap.rejoin", 2, 8.3)]), (6, [("gap.rejoin", 2, 5.2), ("gap.rejoin", 6, 8.3)])],
)
def test_two_holes_are_one_outage_if_next_to_nothing_is_heard_between_them(
    heard_until: float, expected: list[tuple[str, float, float]]
) -> None:
    """Back for a moment, and away again; what is heard is in no gap, to a fifth of a second."""
    scene = Scene()
    scene.media(1, 2)
    scene.drop(3)
    scene.enter(5)
    scene.hear(5.2, "ann")
    scene.media(heard_until)
    scene.happen(6, Reconnecting(), LOST)
    scene.happen(8, Reconnected(), AudioSubscribed(RemoteTrack("TR_ann", "ann", "")))
    scene.hear(8.3, "ann")
    scene.media(9)
    assert scene.gaps == expected


def test_a_server_that_sends_the_worker_away_was_there_until_then() -> None:
    """Its word came over the connection."""
    scene = Scene()
    scene.media(1, 2)
    scene.drop(2.7, told=True)
    scene.enter(3)
    scene.hear(3.2, "ann")
    assert scene.gaps == [("gap.rejoin", 2.7, 3.2)]


def test_a_resumed_connection_leaves_no_hole() -> None:
    """Tracks were there all the time; one that is published later opens none."""
    scene = Scene()
    scene.happen(1, Reconnecting())
    scene.happen(2, Reconnected())
    scene.happen(3, AudioPublished("TR_bob", "bob"))
    scene.hear(3.2, "bob")
    scene.end(4)
    assert scene.gaps == []


def test_tracks_lost_while_reconnecting_are_missed_from_the_last_proof_on() -> None:
    """Media stopped before the SDK said anything."""
    scene = Scene()
    scene.media(0.5)
    scene.happen(1, Reconnecting())
    scene.happen(1.5, LOST)
    scene.happen(2, Reconnected())
    scene.hear(2.3, "ann")
    assert scene.gaps == [("gap.rejoin", 0.5, 2.3)]


def test_a_reading_that_is_late_tells_when_media_really_stopped() -> None:
    """It was asked for when the SDK began to reconnect, and is answered after the tracks are gone."""
    scene = Scene()
    scene.media(0.2)
    scene.happen(1.1, Reconnecting(), LOST)
    scene.packets += 100
    scene.read(1.2, 0.95)
    for second in (2, 3, 4):
        scene.look(second)
    scene.happen(5, Reconnected())
    scene.hear(5.3, "ann")
    assert scene.gaps == [("gap.rejoin", 0.95, 5.3)]


def test_tracks_lost_right_before_a_reconnect_are_missed_from_there() -> None:
    """A reconnect that the server asks for ends the tracks first."""
    scene = Scene()
    scene.happen(0.9, LOST)
    scene.happen(1, Reconnecting())
    scene.happen(2, Reconnected())
    scene.hear(2.3, "ann")
    assert scene.gaps == [("gap.rejoin", 0.9, 2.3)]


def test_a_track_that_ended_long_before_is_not_missed() -> None:
    """Its participant had taken it back."""
    scene = Scene()
    scene.happen(1, LOST)
    scene.happen(5, Reconnecting())
    scene.happen(6, Reconnected())
    scene.end(7)
    assert scene.gaps == []


def test_what_was_made_up_during_an_outage_belongs_to_it() -> None:
    """What lies outside of it is the jitter buffer's, of one participant: others may be heard."""
    scene = Scene()
    scene.media(1)
    scene.hole.made_up(MadeUp(ns(0.4), ns(0.7), "ann"))
    scene.media(2, 3, 4, 5)
    for second in range(6, 16):
        scene.hole.made_up(MadeUp(ns(second - 1), ns(second), "ann"))
        scene.read(second, 5)
    scene.drop(16)
    scene.enter(18)
    scene.hear(18.2, "ann")
    scene.hole.made_up(MadeUp(ns(18.1), ns(18.6), "ann"))
    scene.media(19)
    assert scene.owned == [
        ("gap.concealed", 0.4, 0.7, "ann"),
        ("gap.rejoin", 5, 18.2, None),
        ("gap.concealed", 18.2, 18.6, "ann"),
    ]


def test_what_was_torn_right_before_an_outage_is_named() -> None:
    """It is read once the room is lost, or has come back."""
    scene = Scene()
    scene.media(1, 2)
    scene.hole.made_up(MadeUp(ns(1.3), ns(1.7), "ann"))
    scene.drop(3)
    scene.hole.made_up(MadeUp(ns(1.8), ns(2.3), "ann"))
    scene.enter(5)
    scene.hear(5.2, "ann")
    scene.media(6)
    assert sorted(scene.gaps) == [("gap.concealed", 1.3, 1.7), ("gap.concealed", 1.8, 2), ("gap.rejoin", 2, 5.2)]


def test_an_outage_that_is_over_soon_is_what_was_made_up() -> None:
    """Six seconds: the same connection goes on."""
    scene = Scene()
    scene.media(1, 2)
    for second in range(3, 9):
        scene.hole.made_up(MadeUp(ns(second - 1), ns(second), "ann"))
        scene.read(second, 2)
    scene.media(9)
    assert scene.gaps == [("gap.concealed", 2, 8)]


def test_a_short_outage_that_lasts_to_the_end_is_a_gap_to_the_end() -> None:
    """Too short for a rejoin: the jitter buffer and the missing proof say the same."""
    scene = Scene()
    scene.media(1, 2)
    for second in range(3, 9):
        scene.hole.made_up(MadeUp(ns(second - 1), ns(second), "ann"))
        scene.read(second, 2)
    scene.end(8.4)
    assert scene.gaps == [("gap.rejoin", 2, 8.4)]
