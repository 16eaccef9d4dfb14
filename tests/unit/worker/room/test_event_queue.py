"""The queue between LiveKit's callbacks and their reader."""

from dataclasses import replace

from store.runs.participant_events import Participant
from worker.room.event_queue import EventQueue
from worker.room.events import Disconnected, ParticipantJoined

ANN = Participant("PA_ann", "ann", "", "standard")


def test_an_overflow_is_a_lost_room() -> None:
    """Nothing is dropped silently."""
    queue = EventQueue(limit=2)
    for number in range(5):
        queue.put(ParticipantJoined(replace(ANN, sid=str(number))))
    assert queue.drain() == [Disconnected("EVENT_OVERFLOW")]


def test_a_dead_room_s_late_callbacks_are_ignored() -> None:
    """Nothing is taken after close, and what was queued is forgotten."""
    queue = EventQueue()
    queue.put(ParticipantJoined(ANN))
    queue.close()
    queue.put(Disconnected("UNKNOWN_REASON"))
    assert queue.drain() == []


def test_the_reader_is_woken_by_every_event() -> None:
    """A reader that drains waits for nothing else."""
    woken: list[int] = []
    queue = EventQueue()
    queue.notify(lambda: woken.append(1))
    queue.put(ParticipantJoined(ANN))
    queue.put(ParticipantJoined(ANN))
    assert woken == [1, 1]
