"""A track whose process stood still: what is not placed where it was spoken lies in what was missed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.samples.receiver import PACKET_MS
from tests.support.samples.standing_machine import STOPPED_MS, Machine

LATE_MS = 280  # while a buffer drains at up to a third more than the speed of speech; a frame is 100 ms
SPLICED = 10  # packets in the 0.2 s around a seam, of which frames that were blended may say anything
SPLICED_SHORTLY = 12  # and some that come while the socket is still being emptied

machines = st.builds(
    Machine,
    socket_packets=st.integers(50, 700),
    read_per_step=st.sampled_from([5, 20, 1000]),
    pulls_per_step=st.sampled_from([20, 100, 2000]),
    drain=st.floats(1.0, 1.35),
    lag_ms=st.integers(0, 60),
    slow_ms=st.sampled_from([0, 10, 50]),
    doubles=st.sampled_from([0, 1]),
)


@settings(max_examples=40, print_blob=True)
@given(machines, st.integers(3000, 11_000), st.integers(0, 490))
def test_what_is_not_where_it_was_spoken_lies_in_what_was_missed(
    machine: Machine, stood_ms: int, shift_ms: int
) -> None:
    """Whatever the socket kept, the buffer let go, and whichever thread was faster."""
    outcome = machine.record(stood_ms // PACKET_MS * PACKET_MS, shift_ms)
    gaps = [*outcome.told, outcome.missed]

    displaced = outcome.found.displaced(LATE_MS)
    assert len(displaced) <= SPLICED, sorted(displaced)
    assert len(outcome.undeclared(gaps)) <= SPLICED, outcome.undeclared(gaps)
    assert len(outcome.false(gaps)) <= SPLICED, outcome.false(gaps)
    assert machine.latest_ms <= STOPPED_MS + outcome.stood_ms + 6500, "what is live is believed in the end"


@settings(max_examples=40, print_blob=True)
@given(machines, st.integers(400, 2600), st.integers(0, 490))
def test_what_a_short_standstill_tears_is_told_where_it_is(machine: Machine, stood_ms: int, shift_ms: int) -> None:
    """Right behind what came before, whenever the readings come that tell of it; the socket keeps all of it."""
    machine.socket_packets = 700
    outcome = machine.record(stood_ms // PACKET_MS * PACKET_MS, shift_ms)

    assert len(outcome.undeclared(outcome.told)) <= SPLICED_SHORTLY, outcome.undeclared(outcome.told)
    assert outcome.false(outcome.told) == []
