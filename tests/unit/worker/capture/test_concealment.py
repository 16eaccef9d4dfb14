"""From a counter of concealed samples to gaps."""

from worker.capture.concealment import ConcealmentWatch


def test_little_concealment_is_no_gap() -> None:
    """What any network does."""
    watch = ConcealmentWatch()
    assert [watch.read(0, 0), watch.read(9_000, 240_000)] == [None, None]


def test_a_hole_that_goes_on_is_one_stretch() -> None:
    """It begins at the end of one interval and ends at the start of another."""
    watch = ConcealmentWatch()
    watch.read(0, 0)
    gaps = [watch.read(96_000, 240_000), watch.read(336_000, 480_000), watch.read(384_000, 720_000)]
    assert gaps == [(144_000, 240_000), (240_000, 480_000), (480_000, 528_000)]


def test_a_muted_track_is_not_concealed() -> None:
    """What was made up while muted is counted to nobody."""
    watch = ConcealmentWatch()
    watch.read(0, 0)
    assert [watch.read(None, 1), watch.read(500_000, 240_000), watch.read(500_000, 480_000)] == [None, None, None]


def test_a_new_counter_starts_again() -> None:
    """A full reconnect makes a new track whose counter is smaller."""
    watch = ConcealmentWatch()
    watch.read(90_000, 0)
    assert watch.read(10, 240_000) is None
