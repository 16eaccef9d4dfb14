"""`parley login` and `parley logout`."""

import argparse
import asyncio
import getpass
import os
import sys
from urllib.parse import urlsplit

from parley.client.account import KEY_VARIABLE, URL_VARIABLE, Account, account_file, base_url, is_key_text, keep_account
from parley.client.api_client import connected
from parley.command_error import CommandError
from parley.terminal.printing import say

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def run_login(arguments: argparse.Namespace) -> int:
    """Keep the account in a file of its owner's, if the API takes the key.

    Raises:
        CommandError: no URL or key was given, the API is away, or it refuses the key.
    """
    url = base_url(arguments.url or os.environ.get(URL_VARIABLE) or _asked("URL of the API: "))
    account = Account(url, _key())
    asyncio.run(_check(account))
    file = account_file(os.environ)
    keep_account(file, account)
    print(f"{url} takes the key. It is kept in {file}.")
    if url.startswith("http:") and urlsplit(url).hostname not in _LOOPBACK:
        say("Mind that http:// sends it in clear: everybody on the way can read it.")
    if set_ := [name for name in (URL_VARIABLE, KEY_VARIABLE) if os.environ.get(name)]:
        say(f"{' and '.join(set_)} of the environment still come first.")
    return 0


def run_logout(_arguments: argparse.Namespace) -> int:
    """Forget the account."""
    file = account_file(os.environ)
    try:
        file.unlink()
    except FileNotFoundError:
        say("no key was kept")
        return 0
    print(f"{file} is gone. The key itself goes on working: `parley keys revoke`, or DELETE /v1/api_keys, ends it.")
    return 0


def _asked(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise CommandError(f"say where the API is: --url URL, or {URL_VARIABLE}", exit_code=2)
    print(prompt, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline()


def _key() -> str:
    """From the terminal, unseen, or the first line of stdin; never from the command line, which everybody can read."""
    key = getpass.getpass("API key: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not key.strip():
        raise CommandError("no key was given: type it, or send it to stdin", exit_code=2)
    if not is_key_text(key.strip()):
        raise CommandError("that is no API key", exit_code=2)
    return key.strip()


async def _check(account: Account) -> None:
    async with connected(account) as api:
        await api.ask("GET", "/v1/codes")  # any key may
