"""Packets that a new jitter buffer has thrown away are told from doubles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.capture.jitter_buffer.let_go import packets_let_go
from worker.room.room_reading import NOTHING_READ, TrackReading


def reading(packets: int, discarded: int) -> TrackReading:
    """Of a receiver that is new."""
    return TrackReading(0, 0, 0.0, packets, discarded)


@pytest.mark.parametrize(
    ("packets", "discarded", "let_go"),
    [(0, 0, 0), (1, 0, 0), (9, 7, 0), (17, 16, 0), (19, 33, 14), (12, 14, 2), (21, 30, 9), (12, 0, 0), (12, 3, 3)],
)
def test_readings_as_they_were_made(packets: int, discarded: int, let_go: int) -> None:
    """Right behind takeovers, and two of a sender that doubles nothing."""
    assert packets_let_go(reading(packets, discarded), 960) == let_go


def test_a_new_receiver_has_let_nothing_go() -> None:
    """It has got nothing."""
    assert packets_let_go(NOTHING_READ, 960) == 0


@given(packets=st.integers(1, 150), doubles=st.integers(0, 2), owed=st.integers(0, 2))
def test_doubles_are_nothing_that_was_let_go(packets: int, doubles: int, owed: int) -> None:
    """Of each packet as many; the last ones may not have come."""
    assert packets_let_go(reading(packets, max(doubles * packets - owed, 0)), 960) == 0


@given(packets=st.integers(12, 150), doubles=st.integers(0, 1), let_go=st.integers(1, 8))
def test_what_was_let_go_is_told_to_a_packet(packets: int, doubles: int, let_go: int) -> None:
    """The first packet has no double."""
    found = packets_let_go(reading(packets, doubles * (packets - 1) + let_go), 960)
    assert let_go - doubles <= found <= let_go


@given(packets=st.integers(8, 150), doubles=st.integers(1, 2), data=st.data())
def test_doubles_of_lost_packets_are_played_and_make_nothing_of_the_others_let_go(
    packets: int, doubles: int, data: st.DataObject
) -> None:
    """One of eight packets at most; so the counter is smaller than the packets that came."""
    lost = data.draw(st.integers(0, packets // 8 // doubles))
    assert packets_let_go(reading(packets, doubles * (packets - lost)), 960) == 0


@given(packets=st.integers(1, 150), discarded=st.integers(0, 400), data=st.data())
def test_what_was_played_was_not_let_go(packets: int, discarded: int, data: st.DataObject) -> None:
    """Whatever the counters say. As read: 148 packets, of which 139 were played, and 145 were discarded."""
    played = data.draw(st.integers(0, packets))
    found = packets_let_go(TrackReading(0, played * 960, 0.0, packets, discarded), 960)
    assert 0 <= found <= packets - played
    assert packets_let_go(TrackReading(7_827, 133_440, 0.0, 148, 145), 960) == 0
