"""Runs a command that speaks to the API."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from parley.client.account import account_in_force
from parley.client.api_client import ApiClient, connected

_Result = TypeVar("_Result")


def with_api(command: Callable[[ApiClient], Awaitable[_Result]]) -> _Result:
    """What `command` returns, with the account in force.

    Raises:
        CommandError: there is no account, or what the command raises.
    """

    async def run() -> _Result:
        async with connected(account) as api:
            return await command(api)

    account = account_in_force()
    return asyncio.run(run())
