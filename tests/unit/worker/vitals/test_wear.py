"""When a recorder process has served enough."""

import os

import pytest
from pydantic import ValidationError

from sessions.settings import Settings
from worker.vitals.process_memory import MIB, own_bytes, resident_bytes
from worker.vitals.pulse import Pulse
from worker.vitals.wear import MemoryMarks, Wear, Worn


def test_a_process_is_worn_by_its_last_session_and_takes_none_beyond() -> None:
    """However many places are free."""
    wear = Wear(most_sessions=5, marks=MemoryMarks(1000, 2000))
    wear.serve(3)
    assert (wear.worn, wear.left(25), wear.left(1)) == (None, 2, 1)
    wear.serve(2)
    assert (wear.worn, wear.left(25)) == (Worn.SESSIONS, 0)
    wear.serve(1)
    assert wear.left(25) == 0


def test_a_process_is_worn_above_its_soft_mark_only() -> None:
    """Memory says more than a number of sessions does."""
    wear = Wear(most_sessions=5, marks=MemoryMarks(1000, 2000))
    wear.weigh(1000)
    assert wear.worn is None
    assert wear.left(3) == 3
    wear.weigh(1001)
    assert wear.worn is Worn.MEMORY
    assert wear.left(3) == 0
    wear.weigh(2000)
    assert not wear.too_large
    wear.weigh(2001)
    assert wear.too_large
    wear.weigh(900)
    assert wear.worn is None


def test_without_a_number_of_sessions_only_memory_counts() -> None:
    """0 is none."""
    wear = Wear(most_sessions=0, marks=MemoryMarks(1000, 2000))
    wear.serve(100_000)
    assert (wear.worn, wear.left(25)) == (None, 25)


@pytest.mark.parametrize(
    ("changes", "soft_mib", "hard_mib"),
    [
        ({}, 765, 1530),
        ({"sessions_per_process": 1}, 405, 810),
        ({"sessions_per_process": 100}, 1536, 3072),
        ({"recorder_memory_mb": 300}, 300, 600),
        ({"recorder_memory_limit_mb": 600}, 300, 600),
        ({"recorder_memory_limit_mb": 9000}, 765, 9000),
        ({"recorder_memory_mb": 700, "recorder_memory_limit_mb": 701}, 700, 701),
    ],
)
def test_marks_are_as_configured_or_follow_from_the_size_of_a_full_process(
    changes: dict[str, int], soft_mib: int, hard_mib: int
) -> None:
    """A process retires before it is killed, whichever of the two is set."""
    assert MemoryMarks.of(Settings.model_validate(changes)) == MemoryMarks(soft_mib * MIB, hard_mib * MIB)


def test_a_hard_mark_below_the_soft_one_is_refused() -> None:
    """Else no process would ever retire."""
    with pytest.raises(ValidationError, match="recorder_memory_limit_mb must be more"):
        Settings(recorder_memory_mb=500, recorder_memory_limit_mb=500)


def test_resident_memory_follows_what_a_process_takes() -> None:
    """The kernel's own number; a dead process has none."""
    before = resident_bytes(os.getpid())
    taken = bytearray(os.urandom(1) * 50 * MIB)
    assert own_bytes() - before > 40 * MIB
    assert len(taken) == 50 * MIB
    assert resident_bytes(2**22 + 1) == 0


def test_a_process_says_once_and_for_good_that_it_retires() -> None:
    """Beside its pulse, of which that changes nothing."""
    with Pulse.create() as pulse:
        pulse.give()
        felt = pulse.last_ns
        assert not pulse.retires
        with Pulse(os.dup(pulse.fd)) as other:
            other.retire()
        assert pulse.retires
        assert pulse.last_ns == felt
