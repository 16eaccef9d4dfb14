"""Idleness, and whether anybody came."""

from store.runs.participant_events import Participant
from worker.room.events import AudioPublished, AudioUnpublished, ParticipantJoined, ParticipantLeft
from worker.room.presence import RoomPresence

SECOND = 1_000_000_000
ANN = Participant("PA_ann", "ann", "", "standard")


def test_an_empty_room_is_idle_from_the_join_on() -> None:
    """Not from the claim."""
    presence = RoomPresence(30)
    presence.entered(5 * SECOND)
    assert presence.idle_deadline_ns() == 35 * SECOND


def test_a_participant_without_audio_is_no_remedy() -> None:
    """But somebody came."""
    presence = RoomPresence(30)
    presence.entered(0)
    presence.take(ParticipantJoined(ANN), SECOND)
    assert (presence.idle_deadline_ns(), presence.somebody_came) == (30 * SECOND, True)


def test_an_audio_track_ends_idleness_and_its_end_begins_it_anew() -> None:
    """The clock starts from zero."""
    presence = RoomPresence(30)
    presence.entered(0)
    presence.take(AudioPublished("t1", "ann"), 20 * SECOND)
    assert presence.idle_deadline_ns() is None
    presence.take(AudioUnpublished("t1"), 40 * SECOND)
    assert presence.idle_deadline_ns() == 70 * SECOND


def test_one_of_two_tracks_is_enough() -> None:
    """The last one counts."""
    presence = RoomPresence(30)
    presence.entered(0)
    for sid in ("t1", "t2"):
        presence.take(AudioPublished(sid, "ann"), SECOND)
    presence.take(AudioUnpublished("t1"), 2 * SECOND)
    assert presence.idle_deadline_ns() is None


def test_the_clock_stands_still_while_we_are_out_of_the_room() -> None:
    """10 s idle, 100 s away, 20 s left."""
    presence = RoomPresence(30)
    presence.entered(0)
    presence.dropped(10 * SECOND)
    assert presence.idle_deadline_ns() is None
    presence.entered(110 * SECOND)
    assert presence.idle_deadline_ns() == 130 * SECOND


def test_who_leaves_has_still_come() -> None:
    """The sine ends for good."""
    presence = RoomPresence(30)
    presence.take(ParticipantJoined(ANN), 0)
    presence.take(ParticipantLeft(ANN), 1)
    assert presence.somebody_came
