"""A room's texts are bounded: at a time, in number and in length."""

from worker.run.text_allowance import LEAST_CHARACTERS, MOST_AT_ONCE, MOST_CHARACTERS, TextAllowance


def test_as_many_as_have_ended_may_begin() -> None:
    """Those under way count, not those that were."""
    allowance = TextAllowance()
    assert [allowance.begin() for _ in range(MOST_AT_ONCE + 1)] == [True] * MOST_AT_ONCE + [False]
    allowance.end()
    assert [allowance.begin() for _ in range(2)] == [True, False]


def test_long_texts_use_it_up_by_their_characters() -> None:
    """What is refused costs nothing: a shorter one may follow."""
    allowance = TextAllowance()
    text = "x" * 30_000
    assert all(allowance.spend(text) for _ in range(MOST_CHARACTERS // len(text)))
    assert not allowance.spend(text)
    assert allowance.spend("x" * (MOST_CHARACTERS % len(text)))
    assert not allowance.begin()


def test_short_texts_use_it_up_by_their_number() -> None:
    """No number of rows is without a bound."""
    allowance = TextAllowance()
    assert sum(allowance.spend("x") for _ in range(MOST_CHARACTERS // LEAST_CHARACTERS + 5)) == 100_000
    assert not allowance.begin()
