"""Who may judge others as stale."""

from store.runs.poll_history import PollHistory

SECOND = 1_000_000_000


def test_a_new_process_judges_nobody() -> None:
    """It has not seen them be silent."""
    assert PollHistory(5 * SECOND).good_for_ns(SECOND) == 0


def test_every_success_in_a_row_counts() -> None:
    """From the first one on."""
    history = PollHistory(5 * SECOND)
    for second in range(1, 20):
        history.succeeded(second * SECOND)
    assert history.good_for_ns(19 * SECOND) == 18 * SECOND


def test_a_failure_starts_it_anew() -> None:
    """The database was away: everybody was silent."""
    history = PollHistory(5 * SECOND)
    history.succeeded(SECOND)
    history.failed()
    history.succeeded(9 * SECOND)
    assert history.good_for_ns(10 * SECOND) == SECOND


def test_a_pause_starts_it_anew() -> None:
    """The process itself was stopped."""
    history = PollHistory(5 * SECOND)
    history.succeeded(SECOND)
    assert history.good_for_ns(60 * SECOND) == 0
    history.succeeded(60 * SECOND)
    assert history.good_for_ns(61 * SECOND) == SECOND
