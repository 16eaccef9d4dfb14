"""Where the API is and with which key: PARLEY_URL and PARLEY_KEY, else what `parley login` has kept.

A kept key goes to the URL that it was kept for and to no other, whatever PARLEY_URL says.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from parley.client.problems import EXIT_NOT_ALLOWED
from parley.command_error import CommandError

URL_VARIABLE = "PARLEY_URL"
KEY_VARIABLE = "PARLEY_KEY"
_OTHERS_MAY = 0o077


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's access; no text of it shows the key (`SecretStr` would load all of pydantic for that).

    Attributes:
        url: the API's, without a slash at its end.
    """

    url: str
    key: str = field(repr=False)


def account_file(environment: Mapping[str, str]) -> Path:
    """Where `parley login` keeps the account: below XDG_CONFIG_HOME, else ~/.config."""
    home = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME") or "~").expanduser() / ".config")
    return Path(home) / "parley" / "account.json"


def account_in_force(environment: Mapping[str, str] = os.environ) -> Account:
    """The account that commands use.

    Raises:
        CommandError: there is none, half of one, or one that others can read.
    """
    url, key = environment.get(URL_VARIABLE), environment.get(KEY_VARIABLE, "").strip()
    if key and not is_key_text(key):
        raise CommandError(f"{KEY_VARIABLE} is no API key: it has characters that none has", exit_code=2)
    if url and key:
        return Account(base_url(url), key)
    kept = read_account(account_file(environment))
    if key and kept:
        return Account(kept.url, key)
    if kept and (not url or base_url(url) == kept.url):
        return kept
    missing = KEY_VARIABLE if url else URL_VARIABLE if key else f"{URL_VARIABLE} and {KEY_VARIABLE}"
    other = f" (the kept key is for {kept.url} only)" if kept else ""
    raise CommandError(f"set {missing}, or run `parley login`{other}", exit_code=EXIT_NOT_ALLOWED)


def is_key_text(text: str) -> bool:
    """Whether it may be sent as a key: visible ASCII, without spaces."""
    return all("!" <= character <= "~" for character in text)


def base_url(text: str) -> str:
    """`text` as a base URL.

    Raises:
        CommandError: it is none (exit code 2).
    """
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise CommandError(
            "the API's URL is http:// or https://, a host, and nothing else, such as https://parley.example",
            exit_code=2,
        )
    return text.strip().rstrip("/")


def read_account(file: Path) -> Account | None:
    """What is kept in `file`; None when nothing is.

    Raises:
        CommandError: others may read it, or it isn't what `parley login` writes.
    """
    try:
        if file.stat().st_mode & _OTHERS_MAY:
            raise CommandError(f"others can read the key in {file}: chmod 600 it", exit_code=EXIT_NOT_ALLOWED)
        kept = json.loads(file.read_bytes())
        return Account(base_url(kept["url"]), str(kept["key"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError):
        raise CommandError(f"can't read {file}: run `parley login` again", exit_code=EXIT_NOT_ALLOWED) from None


def keep_account(file: Path, account: Account) -> None:
    """Write `file` whole or not at all, for its owner only."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as opened:
        json.dump({"url": account.url, "key": account.key}, opened)
        opened.flush()
        os.fsync(opened.fileno())
    partial.replace(file)
