"""The account of the environment."""

import pytest

from parley.client.account import account_in_force
from parley.command_error import CommandError

URL = "https://parley.example"


def test_space_around_the_key_is_none_of_it() -> None:
    """As files of secrets end with a new line."""
    account = account_in_force({"PARLEY_URL": URL, "PARLEY_KEY": " parley_agent_x\n"})
    assert (account.url, account.key) == (URL, "parley_agent_x")


@pytest.mark.parametrize("key", ["a\nb", "a b", "käy", "a\0"])
def test_what_no_header_can_carry_is_no_key(key: str) -> None:
    """Said without the key."""
    with pytest.raises(CommandError) as refused:
        account_in_force({"PARLEY_URL": URL, "PARLEY_KEY": key})
    assert refused.value.exit_code == 2
    assert key not in str(refused.value)
