"""Until when readings prove a connection."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.room.missing.connection_proof import ConnectionProof, ConnectionReading, PairCounters
from worker.room.missing.heard_track import Missing
from worker.room.missing.room_hole import RoomHole

SECOND = 1_000_000_000
PAIR = "CP1"


def reading(
    at: float, num_bytes: int, stun: int, last: float | None = None, pair: str | None = PAIR
) -> ConnectionReading:
    """A reading that was answered at once; times in seconds."""
    last_ns = None if last is None else round(last * SECOND)
    at_ns = round(at * SECOND)
    pairs = {} if pair is None else {pair: PairCounters(num_bytes, stun, last_ns)}
    return ConnectionReading(at_ns, at_ns, pairs)


def proven_after(*readings: ConnectionReading | None) -> float:
    """Until when the readings prove a connection that began at second 0; None: not answered, a second later."""
    proof = ConnectionProof(0)
    for number, one in enumerate(readings, start=1):
        if one is None:
            proof.missed(number * SECOND)
        else:
            proof.read(one)
    return proof.proven_ns / SECOND


@pytest.mark.parametrize(
    ("readings", "proven"),
    [
        pytest.param([], 0, id="the join itself"),
        pytest.param([reading(1, 100, 1, 0.95)], 0.95, id="media: the last packet"),
        pytest.param([reading(1, 100, 1, 0.95), reading(2, 100, 1, 0.95)], 0.95, id="nothing new"),
        pytest.param([reading(1, 100, 1, 0.95), reading(2, 100, 2, 0.95)], 1, id="STUN: the reading before"),
        pytest.param([reading(1, 0, 1), reading(2, 0, 1), reading(3, 0, 2)], 2, id="STUN alone"),
        pytest.param([reading(1, 100, 1, 0.95), None, reading(3, 100, 2, 0.95)], 1, id="STUN after a missed one"),
        pytest.param([reading(1, 100, 1, 0.95), reading(2, 0, 0, None, pair=None)], 0.95, id="no pair"),
        pytest.param([reading(1, 100, 1, 0.95), reading(2, 90, 1, 1.9, pair="CP2")], 1.9, id="another pair"),
        pytest.param([reading(1, 100, 1, 0.95), reading(2, 200, 1, 77)], 2, id="a wall clock set forward"),
        pytest.param([reading(1, 100, 1, 0.95), reading(2, 200, 1, 0.2)], 1, id="a wall clock set back"),
        pytest.param([reading(1, 100, 1, 0.95), reading(60, 100, 1, 0.95)], 60, id="a process that stood still"),
        pytest.param([reading(at, 0, 0) for at in (2, 4, 6, 60)], 0, id="stood still when nothing was proven"),
    ],
)
def test_until_when_a_connection_is_proven(readings: list[ConnectionReading | None], proven: float) -> None:
    """Each reading against the one before."""
    assert proven_after(*readings) == proven


@st.composite
def _sequences(draw: st.DrawFn) -> list[ConnectionReading | int]:
    """Readings up to 3 s apart, some not answered (only the time is there then), of media, STUN, or nothing new."""
    at, num_bytes, stun, last = 0, 0, 0, None
    sequence: list[ConnectionReading | int] = []
    for step_ms, kind in draw(st.lists(st.tuples(st.integers(100, 3000), st.sampled_from("mmsnnnnx-")), max_size=80)):
        before, at = at, at + step_ms * 1_000_000
        if kind == "x":
            sequence.append(at)
            continue
        if kind == "m":
            num_bytes, last = num_bytes + 100, before + draw(st.integers(0, step_ms)) * 1_000_000
        stun += kind in "s"
        pairs = {} if kind == "-" else {PAIR: PairCounters(num_bytes, stun, last)}
        sequence.append(ConnectionReading(at, at, pairs))
    return sequence


def _ranges(found: list[Missing]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for one in sorted((gap.from_ns, gap.to_ns) for gap in found):
        if merged and merged[-1][1] == one[0]:
            merged[-1] = (merged[-1][0], one[1])
        else:
            merged.append(one)
    return merged


@given(_sequences(), st.integers(4, 12))
def test_every_instant_that_nothing_proves_for_too_long_lies_in_exactly_one_hole(
    sequence: list[ConnectionReading | int], bound: int
) -> None:
    """And no hole is where nothing was in doubt for so long, then or in the end: STUN proves only what is past."""
    hole = RoomHole(bound * SECOND)
    hole.entered(0)
    proof = ConnectionProof(0)
    found: list[Missing] = []
    proofs = [0]
    doubts: list[tuple[int, int]] = []
    now = 0
    for one in sequence:
        now = one if isinstance(one, int) else one.asked_ns
        taken = None if isinstance(one, int) else one
        hole.read(taken, now)
        found += hole.look(now, [])
        if taken is None:
            proof.missed(now)
        else:
            proof.read(taken)
        proofs.append(proof.proven_ns)
        if proof.doubt_ns > bound * SECOND:
            doubts.append((proof.proven_ns, now))
    found += hole.close(now, [])

    instants = sorted({*proofs, now})
    unproven = [(a, b) for a, b in pairwise(instants) if b - a > bound * SECOND and b <= max(proofs)]
    if now - max(proofs) > bound * SECOND:
        unproven.append((max(proofs), now))
    ranges = _ranges(found)
    assert all(a[1] < b[0] for a, b in pairwise(ranges)), "holes do not overlap or touch"
    for start, end in unproven:
        assert sum(from_ns <= start and end <= to_ns for from_ns, to_ns in ranges) == 1
    for from_ns, to_ns in ranges:
        assert any(from_ns <= start and end <= to_ns for start, end in [*unproven, *doubts])
