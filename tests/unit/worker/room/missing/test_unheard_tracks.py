"""Tracks that the worker wants and does not get."""

from itertools import pairwise

import pytest

from audio.ranges import merged_ranges
from worker.room.events import (
    AudioMuted,
    AudioPublished,
    AudioSubscribed,
    AudioUnpublished,
    ListeningAllowed,
    RemoteTrack,
    RoomEvent,
)
from worker.room.missing.heard_track import HeardTrack, MadeUp, Missing
from worker.room.missing.unheard_tracks import UnheardTracks
from worker.room.track_places import TrackPlaces

SECOND = 1_000_000_000
ANN = AudioPublished("TR_ann", "ann")


def ann(first: float, last: float, packets: float | None = None) -> list[HeardTrack]:
    packets_ns = None if packets is None else round(packets * SECOND)
    return [HeardTrack("TR_ann", "ann", round(first * SECOND), round(last * SECOND), packets_ns)]


def look(unheard: UnheardTracks, proven: float, tracks: list[HeardTrack]) -> list[tuple[float, float]]:
    return seconds(unheard.look(round(proven * SECOND), tracks))


def seconds(missing: list[Missing], code: str = "gap.permission") -> list[tuple[float, float]]:
    """Those of no length only say that what was missing is not any more."""
    assert {one.code for one in missing} <= {code}
    return [(one.from_ns / SECOND, one.to_ns / SECOND) for one in missing if one.to_ns > one.from_ns]


def test_a_track_whose_frames_end_is_missed_until_they_are_back() -> None:
    """The right to subscribe is taken from the worker for five seconds; pieces touch each other."""
    unheard = UnheardTracks()
    unheard.take(ANN, 0)
    assert look(unheard, 2, ann(0.2, 2)) == []
    assert look(unheard, 2.9, ann(0.2, 2)) == []
    assert look(unheard, 3.5, ann(0.2, 2)) == [(2, 3.5)]
    assert look(unheard, 5, ann(0.2, 2)) == [(3.5, 5)]
    assert look(unheard, 6, ann(7, 7.1)) == [(5, 7)]
    assert look(unheard, 9, ann(7, 9)) == []


def test_what_is_made_up_without_the_right_to_subscribe_is_missing_for_that_reason() -> None:
    """The last frames of a track whose packets were taken away are made up: nothing came too late."""
    unheard = UnheardTracks()
    whole = MadeUp(SECOND, 8 * SECOND, "ann")
    assert unheard.unforbidden(whole) == [whole]
    unheard.take(ListeningAllowed(False), 2 * SECOND)
    assert unheard.unforbidden(MadeUp(round(2.1 * SECOND), round(2.3 * SECOND), "ann")) == []
    assert unheard.unforbidden(MadeUp(SECOND, 3 * SECOND, "ann")) == [MadeUp(SECOND, 2 * SECOND, "ann")]
    later = MadeUp(6 * SECOND, 7 * SECOND, "ann")
    assert unheard.unforbidden(later) == [later], "who is heard for so long is not forbidden"
    unheard.take(ListeningAllowed(True), 4 * SECOND)
    outside = [MadeUp(SECOND, 2 * SECOND, "ann"), MadeUp(4 * SECOND, 8 * SECOND, "ann")]
    assert unheard.unforbidden(whole) == outside


@pytest.mark.parametrize("back", [5.4, 4.9], ids=["heard later", "heard right where the last look was"])
def test_what_was_said_to_last_is_said_to_have_ended(back: float) -> None:
    """So that a kill tells what was missing at its instant; who is heard again is not."""
    unheard = UnheardTracks()
    unheard.take(ANN, 0)
    unheard.look(2 * SECOND, ann(0.2, 2))
    pieces = [unheard.look(at * SECOND, ann(0.2, 2)) for at in (4, 5)]
    assert [[one.lasts for one in piece] for piece in pieces] == [[True], [True]]
    *_, last = unheard.look(6 * SECOND, ann(back, 6))
    assert (last.lasts, last.code, last.to_ns) == (False, "gap.permission", round(max(back, 5) * SECOND))


def test_the_last_frames_without_packets_are_missed_too() -> None:
    """A publisher's refusal is told by nobody; what is muted sends nothing either, for longer."""
    unheard = UnheardTracks()
    unheard.take(ANN, 0)
    assert look(unheard, 2, ann(0.2, 2, packets=1.3)) == []
    assert look(unheard, 3.5, ann(0.2, 2, packets=1.3)) == [(1.3, 3.5)]
    assert look(unheard, 6, ann(7, 7.1)) == [(3.5, 7)]
    assert look(unheard, 12, ann(7, 12, packets=8)) == []
    assert look(unheard, 14, ann(7, 12, packets=8)) == [(11, 14)]

    unheard.take(ANN, 0)
    assert look(unheard, 14, ann(15, 15.1, packets=15)) == [(14, 15)]
    assert look(unheard, 18, ann(15, 18, packets=17.5)) == []
    assert look(unheard, 18, ann(20, 20.1)) == [(17.5, 20)]


def test_a_ban_that_is_told_begins_there() -> None:
    """The frames of half a second after it are made up; the track has to come anew."""
    unheard = UnheardTracks()
    unheard.take(ANN, 0)
    look(unheard, 2, ann(0.2, 2))
    unheard.take(ListeningAllowed(False), round(2.1 * SECOND))
    assert look(unheard, 2.6, ann(0.2, 2.6)) == []
    assert look(unheard, 4, ann(0.2, 2.6)) == [(2.1, 4)]
    unheard.take(ListeningAllowed(True), 7 * SECOND)
    assert look(unheard, 6, ann(7.3, 7.5)) == [(4, 7.3)]
    assert look(unheard, 9, ann(7.3, 9)) == []


def test_a_ban_that_the_server_does_not_enforce_is_none() -> None:
    """Frames go on for longer than any jitter buffer makes them up."""
    unheard = UnheardTracks()
    unheard.take(ANN, 0)
    look(unheard, 2, ann(0.2, 2))
    unheard.take(ListeningAllowed(False), 2 * SECOND)
    for second in range(6, 20):
        assert look(unheard, second, ann(0.2, second)) == []


def test_a_short_ban_shows_by_the_new_subscription() -> None:
    """It was over before the connection was proven again."""
    unheard = UnheardTracks()
    unheard.take(ANN, 0)
    assert look(unheard, 2, ann(0.2, 2)) == []
    assert look(unheard, 2, ann(4, 4.1)) == [(2, 4)]


def test_a_track_that_never_comes_is_missed_from_its_publication_on() -> None:
    """Its publisher refuses it: no event says so."""
    unheard = UnheardTracks()
    unheard.take(ANN, SECOND)
    missing = [one for proven in range(2, 60) for one in unheard.look(proven * SECOND, [])]
    unheard.take(AudioUnpublished("TR_ann"), round(59.5 * SECOND))
    missing += unheard.look(60 * SECOND, [])
    named = seconds(missing)
    assert (named[0][0], named[-1][1]) == (1, 59.5)
    assert all(end == start for (_, end), (start, _) in pairwise(named))


def test_a_track_that_nobody_asked_for_is_not_missed() -> None:
    """Only one participant is recorded."""
    unheard = UnheardTracks()
    unheard.take(AudioPublished("TR_ann", "ann", wanted=False), 0)
    assert look(unheard, 60, []) == []


def test_a_process_that_stood_still_missed_nothing_by_that() -> None:
    """Its frames come late and all at once, before the connection is proven again."""
    unheard = UnheardTracks()
    unheard.take(ANN, 0)
    look(unheard, 2, ann(0.2, 2))
    assert look(unheard, 2, ann(0.2, 12)) == []


def test_a_lost_connection_is_no_question_of_permission() -> None:
    """Its hole is named by what lost it."""
    unheard = UnheardTracks()
    unheard.take(ANN, 0)
    look(unheard, 2, ann(0.2, 2))
    unheard.forget()
    assert look(unheard, 30, []) == []


def test_a_track_that_is_missed_at_the_end_is_missed_to_the_end() -> None:
    """The session ends during the ban."""
    unheard = UnheardTracks()
    unheard.take(ANN, 0)
    look(unheard, 2, ann(0.2, 2))
    assert seconds(unheard.close(round(3.2 * SECOND), ann(0.2, 2))) == [(2, 3.2)]
    assert look(unheard, 3.2, ann(0.2, 2)) == []


def test_encrypted_audio_is_missed_from_its_publication_to_its_end() -> None:
    """It is never subscribed, so nobody waits for it."""
    unheard = UnheardTracks()
    unheard.take(AudioPublished("TR_eve", "eve", encrypted=True), SECOND)
    unheard.take(AudioPublished("TR_bob", "bob", wanted=False, encrypted=True), SECOND)
    missing = unheard.look(3 * SECOND, []) + unheard.close(4 * SECOND, [])
    assert missing == [
        Missing("gap.encrypted", SECOND, 3 * SECOND, "eve", lasts=True),
        Missing("gap.encrypted", 3 * SECOND, 4 * SECOND, "eve", lasts=True),
        Missing("gap.encrypted", 4 * SECOND, 4 * SECOND, "eve"),
    ]


def test_a_track_that_is_left_out_is_missed_from_its_publication_to_its_end() -> None:
    """Nobody waits for it either; encrypted audio is named so, whether there was a place or not."""
    unheard = UnheardTracks()
    unheard.take(AudioPublished("TR_eve", "eve", left_out=True), 0)
    unheard.take(AudioPublished("TR_bob", "bob", encrypted=True, left_out=True), 0)
    codes = {(one.code, one.identity) for one in unheard.look(SECOND, [])}
    assert codes == {("gap.track_limit", "eve"), ("gap.encrypted", "bob")}
    unheard.take(AudioUnpublished("TR_eve"), SECOND + 5)
    assert Missing("gap.track_limit", SECOND, SECOND + 5, "eve") in unheard.look(2 * SECOND, [])


def test_tracks_have_so_many_places_and_keep_theirs() -> None:
    """A place that is free again goes to the next one that asks."""
    places = TrackPlaces(2)
    assert [places.take(sid) for sid in ("a", "b", "c", "a")] == [True, True, False, True]
    places.leave("a")
    places.leave("c")
    assert [places.take(sid) for sid in ("c", "a", "b")] == [True, False, True]
    assert all(TrackPlaces(0).take(str(number)) for number in range(1000))


def test_what_is_missing_of_a_track_that_ends_is_named_to_its_end() -> None:
    """In pieces of a second, and the rest."""
    unheard = UnheardTracks()
    unheard.take(AudioPublished("TR_eve", "eve", encrypted=True), 0)
    unheard.take(ANN, 0)
    assert unheard.look(SECOND, ann(0.2, 1)) == [Missing("gap.encrypted", 0, SECOND, "eve", lasts=True)]
    unheard.take(AudioUnpublished("TR_eve"), SECOND + 5)
    unheard.take(AudioUnpublished("TR_ann"), SECOND + 5)
    assert unheard.look(2 * SECOND, []) == [Missing("gap.encrypted", SECOND, SECOND + 5, "eve")]
    assert unheard.look(3 * SECOND, []) == []


SUBSCRIBED = AudioSubscribed(RemoteTrack("TR_ann", "ann", ""))


def arrivals(
    *events: tuple[float, RoomEvent], first: float, began: float = 0, takes_over: bool = False, named: float = 0
) -> list[Missing]:
    """What is named of ann, whose first frame comes at `first`."""
    unheard = UnheardTracks()
    unheard.entered(round(began * SECOND), takes_over=takes_over, join_ns=0)
    for at, event in events:
        unheard.take(event, round(at * SECOND))
    return unheard.look(round(first * SECOND), ann(first, first), round(named * SECOND))


def test_what_a_newcomer_says_until_the_subscription_is_there_is_missed() -> None:
    """Each message takes 0.4 s; half a second is no gap."""
    expected = [Missing("gap.subscribing", SECOND, round(2.9 * SECOND), "ann")]
    assert arrivals((1, ANN), (2.8, SUBSCRIBED), first=2.9) == expected
    assert arrivals((1, ANN), (1.4, SUBSCRIBED), first=1.5) == []


@pytest.mark.parametrize(
    ("told", "named_from"),
    [
        ({"named": 1.1}, None),  # a hole has closed since
        ({"named": 0.9}, 1.0),
        ({"began": 2.0}, 2.0),  # it was there when the session began
        ({"began": 2.5}, None),
    ],
)
def test_what_lies_in_a_hole_or_before_the_recording_is_not_named_again(
    told: dict[str, float], named_from: float | None
) -> None:
    """Only what the recording lacks, and once."""
    missing = arrivals((1, ANN), (2.8, SUBSCRIBED), first=2.9, **told)  # type: ignore[arg-type]
    assert [one.from_ns / SECOND for one in missing] == ([] if named_from is None else [named_from])


@pytest.mark.parametrize("at_join", [True, False])
def test_what_a_takeover_costs_is_named_by_it(at_join: bool) -> None:
    """Of those who were there already; who comes later misses what any newcomer does."""
    published = AudioPublished("TR_ann", "ann", at_join=at_join)
    missing = arrivals((1, published), (2.8, SUBSCRIBED), first=2.9, takes_over=True)
    assert len(missing) == (0 if at_join else 1)


def test_a_microphone_that_is_muted_says_nothing_that_could_be_missed() -> None:
    """Until it is unmuted; one that sends nothing is missed until it was subscribed."""
    muted = AudioPublished("TR_ann", "ann", muted=True)
    assert arrivals((1, muted), (2.8, SUBSCRIBED), first=2.9) == []
    assert arrivals((1, ANN), (1.5, AudioMuted("TR_ann", True)), (2.8, SUBSCRIBED), first=2.9) == []
    unmuted = arrivals((1, muted), (2, AudioMuted("TR_ann", False)), (2.8, SUBSCRIBED), first=2.9)
    assert [(one.from_ns / SECOND, one.to_ns / SECOND) for one in unmuted] == [(2, 2.9)]
    assert arrivals((1, ANN), (1.3, SUBSCRIBED), first=4) == []


def test_whoever_is_heard_in_another_track_is_not_missed_in_a_new_one() -> None:
    """Ann shares the sound of her screen, too."""
    unheard = UnheardTracks()
    unheard.take(ANN, SECOND)
    screen = HeardTrack("TR_screen", "ann", 0, 3 * SECOND)
    assert unheard.look(3 * SECOND, [screen, *ann(2.9, 3)]) == []


def test_a_track_that_has_not_begun_to_arrive_at_the_end_is_missed_to_the_end() -> None:
    """The session ends a second after the publication."""
    unheard = UnheardTracks()
    unheard.take(ANN, SECOND)
    assert unheard.close(2 * SECOND, []) == [Missing("gap.subscribing", SECOND, 2 * SECOND, "ann")]


def test_a_track_that_never_began_to_arrive_is_missed_until_it_was_taken_back() -> None:
    """A far server, and somebody who said a word."""
    unheard = UnheardTracks()
    unheard.take(ANN, SECOND)
    assert unheard.look(2 * SECOND, []) == []
    unheard.take(AudioUnpublished("TR_ann"), 3 * SECOND)
    assert unheard.look(4 * SECOND, []) == [Missing("gap.subscribing", SECOND, 3 * SECOND, "ann")]


@pytest.mark.parametrize("looks", [(), (6,), (6, 7, 8)])
@pytest.mark.parametrize(("join", "code"), [(2.0, "gap.permission"), (3.0, "gap.subscribing")])
def test_what_takes_long_is_named_once_and_a_refusal_where_joins_are_quick(
    looks: tuple[int, ...], join: float, code: str
) -> None:
    """Whether it was looked at meanwhile or not, to its first frame, or to the end of the run."""
    for arrives in (True, False):
        unheard = UnheardTracks()
        unheard.entered(0, takes_over=False, join_ns=round(join * SECOND))
        unheard.take(ANN, SECOND)
        missing = [one for proven in looks for one in unheard.look(proven * SECOND, [])]
        unheard.take(SUBSCRIBED, round(8.4 * SECOND))
        if arrives:
            missing += unheard.look(9 * SECOND, ann(8.5, 9)) + unheard.close(10 * SECOND, ann(8.5, 10))
        else:
            missing += unheard.close(round(8.5 * SECOND), [])
        named = seconds(missing, code)
        assert (named[0][0], named[-1][1]) == (1, 8.5)
        assert all(end == start for (_, end), (start, _) in pairwise(named))


def test_a_track_that_is_subscribed_and_sends_nothing_is_not_missed() -> None:
    """Neither slowness nor refusal; what was sent before the subscription may have been lost."""
    assert arrivals((1, ANN), (1.3, SUBSCRIBED), first=20) == []
    late = arrivals((1, ANN), (4, SUBSCRIBED), first=20)
    assert seconds(late, "gap.subscribing") == [(1, 4)]
    for subscribed, expected in ((1.3, []), (7.5, [(1, 6), (6, 7), (7, 7.5)])):
        unheard = UnheardTracks()
        unheard.take(ANN, SECOND)
        missing = []
        for second in range(2, 20):
            if second > subscribed:
                unheard.take(SUBSCRIBED, round(subscribed * SECOND))
            missing += unheard.look(second * SECOND, [])
        assert seconds(missing + unheard.close(20 * SECOND, [])) == expected
    unheard = UnheardTracks()
    unheard.take(AudioPublished("TR_ann", "ann", muted=True), SECOND)
    assert [one for proven in range(2, 60) for one in unheard.look(proven * SECOND, [])] == []


def test_a_ban_is_the_reason_only_while_it_lasts_and_until_its_tracks_can_be_back() -> None:
    """Of a newcomer, who is awaited before it and after it, too."""
    unheard = UnheardTracks()
    unheard.take(ANN, SECOND)
    unheard.take(ListeningAllowed(False), 10 * SECOND)
    missing = [one for proven in range(2, 20) for one in unheard.look(proven * SECOND, [])]
    unheard.take(ListeningAllowed(True), 20 * SECOND)
    missing += [one for proven in range(20, 30) for one in unheard.look(proven * SECOND, [])]
    for code, expected in (("gap.subscribing", [(1, 10), (24, 29)]), ("gap.permission", [(10, 24)])):
        assert list(merged_ranges((one.from_ns, one.to_ns) for one in missing if one.code == code)) == [
            (start * SECOND, end * SECOND) for start, end in expected
        ]


def test_who_was_heard_until_a_ban_and_does_not_come_back_after_it_is_not_refused_for_ever() -> None:
    """It was given back; what lacks later may be slowness."""
    unheard = UnheardTracks()
    unheard.take(ANN, 0)
    look(unheard, 2, ann(0.2, 2))
    unheard.take(ListeningAllowed(False), 2 * SECOND)
    unheard.take(ListeningAllowed(True), 4 * SECOND)
    missing = unheard.look(6 * SECOND, ann(0.2, 2)) + unheard.look(30 * SECOND, ann(0.2, 2))
    missing += unheard.look(40 * SECOND, ann(40, 40.1))
    assert [(one.code, one.from_ns // SECOND, one.to_ns // SECOND) for one in missing] == [
        ("gap.permission", 2, 6),
        ("gap.permission", 6, 8),
        ("gap.subscribing", 8, 30),
        ("gap.subscribing", 30, 40),
    ]


def test_a_ban_that_comes_before_a_subscribed_track_speaks_is_one() -> None:
    """It sends nothing yet, and can't be heard from then on."""
    unheard = UnheardTracks()
    unheard.take(ANN, SECOND)
    unheard.take(SUBSCRIBED, round(1.2 * SECOND))
    unheard.take(ListeningAllowed(False), 3 * SECOND)
    assert seconds(unheard.look(9 * SECOND, [])) == [(3, 9)]


def test_frames_that_end_while_packets_come_on_are_our_fault() -> None:
    """What a publisher refuses, the server does not send any more."""
    unheard = UnheardTracks()
    unheard.take(ANN, 0)
    look(unheard, 2, ann(0.2, 2, packets=2))
    assert seconds(unheard.look(5 * SECOND, ann(0.2, 2, packets=4.9)), "gap.worker_stalled") == [(2, 5)]


def test_who_is_there_at_a_takeover_and_never_heard_before_the_end_is_named() -> None:
    """Nothing is left that could name it otherwise: no first frame comes."""
    for ends in (False, True):
        unheard = UnheardTracks()
        unheard.entered(0, takes_over=True, join_ns=0)
        unheard.take(AudioPublished("TR_ann", "ann", at_join=True), SECOND)
        assert unheard.look(3 * SECOND, []) == []
        if ends:
            unheard.take(AudioUnpublished("TR_ann"), 4 * SECOND)
        missing = unheard.close(4 * SECOND, [])
        assert seconds(missing, "gap.subscribing") == [(1, 4)]
