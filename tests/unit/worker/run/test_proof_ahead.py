"""Segments are sealed in time for the next beat."""

from store.database.boot_clock import SECOND_NS
from store.lifecycle.pauses import COMMIT_SECONDS
from worker.run.proof_ahead import ProofAhead

TICK_NS = SECOND_NS // 4
COMMIT_NS = round(COMMIT_SECONDS * SECOND_NS)


def test_a_run_that_looks_every_quarter_of_a_second_never_misses_its_moment() -> None:
    """Whatever its phase, it finds one within half a second before the beat can prove nothing any more."""
    next_ns = 100 * SECOND_NS
    for phase_ns in range(0, TICK_NS, TICK_NS // 16):
        proof = ProofAhead()
        looks = range(next_ns - 5 * SECOND_NS + phase_ns, next_ns, TICK_NS)
        near = [now_ns for now_ns in looks if proof.is_near(now_ns, next_ns)]
        assert 1 <= len(near) <= 2
        assert all(COMMIT_NS < next_ns - now_ns <= COMMIT_NS + SECOND_NS // 2 for now_ns in near)


def test_a_beat_that_is_under_way_is_nothing_to_wait_for() -> None:
    """The next one is not known yet."""
    assert not ProofAhead().is_near(0, None)
