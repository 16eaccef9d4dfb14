"""What arrives ahead of its time gets the places that a player would have given it."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.placing.playout import Finished, Overflown, Playout, PlayoutBudget, PlayoutEvent, Started
from audio.placing.timeline import Placed

MS = 48
SECOND = 1000 * MS
TOLERANCE = 100 * MS
MINUTES = 600 * SECOND


def ramp(samples: int, first: int = 0) -> np.ndarray:
    """Samples that say which one of their segment each is."""
    return (np.arange(first, first + samples) % 30_000).astype(np.int16)


def placed_of(events: list[PlayoutEvent]) -> list[Placed]:
    return [event for event in events if isinstance(event, Placed)]


def line_of(events: list[PlayoutEvent], length: int) -> np.ndarray:
    """Everything that was placed, on one line; −1 where nothing is."""
    line = np.full(length, -1, np.int16)
    for one in placed_of(events):
        line[one.start_sample : one.start_sample + len(one.pcm)] = one.pcm
    return line


def play(playout: Playout, segments: list[tuple[int, int, int]]) -> None:
    """Open, fill at once and end segments of (number, arrival, samples)."""
    for number, arrival, samples in segments:
        playout.open(number)
        playout.push(number, ramp(samples), arrival)
        playout.end(number, arrival)


def test_a_segment_is_played_from_its_arrival_on_in_real_time() -> None:
    """Two seconds at once: after half a second half a second has been played, and the end comes when it comes."""
    playout = Playout(PlayoutBudget(MINUTES))
    play(playout, [(1, 5 * SECOND, 2 * SECOND)])
    early = playout.advance(5 * SECOND + SECOND // 2)
    assert playout.next_sample == 7 * SECOND
    late = playout.advance(9 * SECOND)

    assert (early[0], late[-1]) == (Started(1), Finished(1, 2 * SECOND, interrupted=False))
    assert sum(len(one.pcm) for one in placed_of(early)) == SECOND // 2
    line = line_of(early + late, 9 * SECOND)
    assert np.array_equal(line[5 * SECOND : 7 * SECOND], ramp(2 * SECOND))
    assert not np.any(line[: 5 * SECOND] != -1)
    assert not np.any(line[7 * SECOND :] != -1)
    assert playout.segments == 0
    assert playout.next_sample is None


def test_a_segment_waits_for_the_one_before_it() -> None:
    """The second arrives while the first is played: directly after it. The third arrives later: at its arrival."""
    playout = Playout(PlayoutBudget(MINUTES))
    play(playout, [(1, 0, 2 * SECOND), (2, SECOND, SECOND), (3, 5 * SECOND, SECOND)])
    events = playout.advance(10 * SECOND)

    assert [event for event in events if not isinstance(event, Placed)] == [
        Started(1),
        Finished(1, 2 * SECOND, interrupted=False),
        Started(2),
        Finished(2, SECOND, interrupted=False),
        Started(3),
        Finished(3, SECOND, interrupted=False),
    ]
    line = line_of(events, 6 * SECOND)
    assert np.array_equal(line[2 * SECOND : 3 * SECOND], ramp(SECOND))
    assert np.all(line[3 * SECOND : 5 * SECOND] == -1)
    assert np.array_equal(line[5 * SECOND :], ramp(SECOND))


def test_a_clear_cuts_off_what_was_not_played() -> None:
    """The segment being played, the one that waits and the one without samples are over; a new one is played."""
    playout = Playout(PlayoutBudget(MINUTES))
    play(playout, [(1, 0, 2 * SECOND), (2, 0, SECOND)])
    playout.open(3)
    playout.clear(SECOND // 2)
    playout.push(3, ramp(SECOND), SECOND)  # what was under way when it was cleared
    play(playout, [(4, 3 * SECOND, SECOND)])
    events = playout.advance(10 * SECOND)

    assert [event for event in events if isinstance(event, Finished)] == [
        Finished(1, SECOND // 2, interrupted=True),
        Finished(2, 0, interrupted=True),
        Finished(3, 0, interrupted=True),
        Finished(4, SECOND, interrupted=False),
    ]
    line = line_of(events, 4 * SECOND)
    assert np.array_equal(line[: SECOND // 2], ramp(SECOND // 2))
    assert np.all(line[SECOND // 2 : 3 * SECOND] == -1)


@pytest.mark.parametrize(("late_ms", "hole_ms"), [(60, 0), (100, 0), (101, 101), (700, 700)])
def test_samples_that_come_late_are_played_late_only_if_a_player_would_have_run_dry(late_ms: int, hole_ms: int) -> None:
    """A sender in real time whose chunk is late by less than what a player has in hand leaves no hole."""
    playout = Playout(PlayoutBudget(MINUTES))
    playout.open(1)
    playout.push(1, ramp(SECOND), 0)
    playout.push(1, ramp(SECOND, SECOND), SECOND + late_ms * MS)
    events = playout.advance(5 * SECOND)

    starts = [one.start_sample for one in placed_of(events)]
    assert starts[0] == 0
    line = line_of(events, 4 * SECOND)
    second = SECOND + hole_ms * MS
    assert np.array_equal(line[second : second + SECOND], ramp(SECOND, SECOND))
    assert np.all(line[SECOND:second] == -1)


def test_what_there_is_no_room_for_keeps_its_place() -> None:
    """One second of room: the rest of three is named, what follows lies where it belongs, and room comes back."""
    playout = Playout(PlayoutBudget(SECOND))
    play(playout, [(1, 0, 3 * SECOND)])
    events = playout.advance(2 * SECOND)
    play(playout, [(2, 2 * SECOND, SECOND)])
    events += playout.advance(9 * SECOND)

    assert sum(e.end_sample - e.start_sample for e in events if isinstance(e, Overflown)) == 2 * SECOND
    assert all(SECOND <= e.start_sample < e.end_sample <= 3 * SECOND for e in events if isinstance(e, Overflown))
    assert Finished(1, 3 * SECOND, interrupted=False) in events
    line = line_of(events, 4 * SECOND)
    assert np.array_equal(line[:SECOND], ramp(SECOND))
    assert np.array_equal(line[3 * SECOND :], ramp(SECOND))


def test_room_that_was_cleared_is_free() -> None:
    """An interrupted sender can fill it again."""
    playout = Playout(PlayoutBudget(SECOND))
    for number in range(5):
        play(playout, [(number, number * 10 * MS, SECOND)])
        playout.clear(number * 10 * MS + 5 * MS)
    play(playout, [(9, SECOND, SECOND)])
    assert not any(isinstance(event, Overflown) for event in playout.advance(5 * SECOND))


@given(
    chunks=st.lists(st.integers(1, SECOND), min_size=1, max_size=30),
    delays=st.lists(st.integers(0, TOLERANCE), min_size=30, max_size=30),
    looks=st.lists(st.integers(0, 40 * SECOND), max_size=20),
)
def test_no_chunking_moves_a_sample(chunks: list[int], delays: list[int], looks: list[int]) -> None:
    """Chunks of any size, each there before its turn or a little late, looked at whenever: one unbroken stretch."""
    start = 1234
    playout = Playout(PlayoutBudget(MINUTES))
    playout.open(1)
    events: list[PlayoutEvent] = []
    arrival, pushed = start, 0
    for chunk, delay in zip(chunks, delays, strict=False):
        if pushed:
            turn = start + pushed
            arrival = max(arrival, min(turn + delay if delay % 2 else arrival + delay, turn + TOLERANCE))
        for look in sorted(look for look in looks if look < arrival):
            looks.remove(look)
            events += playout.advance(max(look, 0))
        playout.push(1, ramp(chunk, pushed), arrival)
        pushed += chunk
    playout.end(1, arrival)
    events += playout.advance(start + pushed + SECOND)

    line = line_of(events, start + pushed)
    assert np.array_equal(line[start:], ramp(pushed))
    assert events[-1] == Finished(1, pushed, interrupted=False)


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["open", "push", "push", "push", "end", "clear", "advance"]),
        st.integers(0, 2 * SECOND),  # time that passes before
        st.integers(0, SECOND),  # samples
        st.integers(0, 3),  # how old the segment is
    ),
    max_size=60,
)


@given(operations=OPERATIONS, limit=st.sampled_from([SECOND // 2, MINUTES]))
def test_whatever_happens_nothing_is_played_twice_early_or_after_its_clear(
    operations: list[tuple[str, int, int, int]], limit: int
) -> None:
    """Any schedule: places grow and do not overlap, nothing lies in the future or past a clear, every segment ends
    once, and what a segment says it played is what was placed while it was on."""
    budget = PlayoutBudget(limit)
    playout = Playout(budget)
    events: list[PlayoutEvent] = []
    now, opened, barrier = 0, 0, 0
    sources: dict[int, int] = {}  # samples pushed per segment
    for name, pause, samples, age in operations:
        now += pause
        number = opened - age
        match name:
            case "open":
                opened += 1
                playout.open(opened)
                sources[opened] = 0
            case "push":
                playout.push(number, ramp(samples), now)
                sources[number] = sources.get(number, 0) + samples
            case "end":
                playout.end(number, now)
            case "clear":
                playout.clear(now)
                assert playout.segments == 0
                seen = playout.advance(now)
                assert all(one.start_sample + len(one.pcm) <= now for one in placed_of(seen))
                events += seen
                barrier = now
                continue
            case "advance":
                pass
        seen = playout.advance(now)
        assert all(barrier <= one.start_sample and one.start_sample + len(one.pcm) <= now for one in placed_of(seen))
        events += seen
    playout.clear(now)
    events += playout.advance(now)

    spans = [
        (one.start_sample, one.start_sample + len(one.pcm))
        if isinstance(one, Placed)
        else (one.start_sample, one.end_sample)
        for one in events
        if isinstance(one, Placed | Overflown)
    ]
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    finished = [event for event in events if isinstance(event, Finished)]
    assert [event.segment for event in finished] == list(range(1, opened + 1))
    assert sum(event.played_samples for event in finished) == sum(end - start for start, end in spans)
    assert all(event.played_samples <= sources[event.segment] for event in finished)
    started = [event.segment for event in events if isinstance(event, Started)]
    assert started == sorted(set(started))
    assert budget.left_samples == limit


def test_nothing_is_added_to_a_segment_that_has_ended() -> None:
    """What its sender sends behind the end is nobody's."""
    playout = Playout(PlayoutBudget(MINUTES))
    play(playout, [(1, 0, SECOND)])
    playout.push(1, ramp(SECOND), SECOND // 2)

    assert playout.advance(5 * SECOND)[-1] == Finished(1, SECOND, interrupted=False)


def test_what_is_played_tells_when_that_was_seen() -> None:
    """It "arrives" when it is played, as a frame of a track would."""
    playout = Playout(PlayoutBudget(MINUTES))
    play(playout, [(1, 0, SECOND)])

    assert [one.arrival_sample for one in placed_of(playout.advance(SECOND // 4))] == [SECOND // 4]


def test_all_room_is_free_when_all_has_been_played() -> None:
    """Kept and lost chunks by turns: no segment leaves or takes room."""
    budget = PlayoutBudget(SECOND)
    playout = Playout(budget)
    for turn in range(4):
        play(playout, [(number, turn * 9 * SECOND, 700 * MS) for number in (2 * turn, 2 * turn + 1)])
        assert budget.left_samples == 0
        playout.advance((turn + 1) * 9 * SECOND)
        assert budget.left_samples == SECOND
