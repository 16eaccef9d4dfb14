"""A stop has the outcome of its name."""

from datetime import UTC, datetime

from sessions.lifecycle.stop import Stop

AT = datetime(2026, 11, 22, tzinfo=UTC)


def test_each_kind_of_stop_says_its_outcome_and_no_more_than_it_was_told() -> None:
    """Code, message and time are those that were given."""
    assert Stop("ended", "end.idle", None, AT) == Stop.ended("end.idle", AT)
    assert Stop("canceled", "end.requested", None, None) == Stop.canceled("end.requested")
    assert Stop("failed", "worker.lost", "why", AT) == Stop.failed("worker.lost", "why", AT)
