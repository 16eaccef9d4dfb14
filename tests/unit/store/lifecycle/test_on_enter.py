"""The effects of entering a state: every state has its row in the table."""

from sessions.lifecycle.lifecycle import SETTLED, TERMINAL, Status
from store.lifecycle.on_enter import EFFECTS, _close_transcript, _erase_tokens, _finalize


def test_every_state_has_its_effects() -> None:
    """A state that is added has to be added there, be it with nothing."""
    assert set(EFFECTS) == set(Status)


def test_no_token_outlives_the_stop() -> None:
    """Wherever a session is settled its tokens are erased, and nowhere else."""
    assert {status for status, effects in EFFECTS.items() if _erase_tokens in effects} == SETTLED


def test_ending_is_finalized_and_what_is_over_gets_its_transcript() -> None:
    """Each of the two jobs is deferred by the states that need it."""
    assert {status for status, effects in EFFECTS.items() if _finalize in effects} == {Status.ENDING}
    assert {status for status, effects in EFFECTS.items() if _close_transcript in effects} == TERMINAL
