"""The secrets that a machine makes for itself when nobody configured any; each in a file that only its owner reads."""

import os
import secrets
from pathlib import Path

from pydantic import SecretStr

from parley.command_error import CommandError

_KEY_BYTES = 32
_OWNER_ONLY = 0o600


def secret_key(data_dir: Path) -> SecretStr:
    """What encrypts tokens and signs links with the embedded database: made once, in `data_dir`/secret.key."""
    return _kept(data_dir / "secret.key", secrets.token_urlsafe(_KEY_BYTES))


def development_master_key(data_dir: Path) -> SecretStr:
    """The master key that `parley dev` prints: made once, in `data_dir`/master.key."""
    return _kept(data_dir / "master.key", new_master_key().get_secret_value())


def new_master_key() -> SecretStr:
    """A master API key: `parley_master_` and 43 url-safe characters, 256 bits."""
    return SecretStr(f"parley_master_{secrets.token_urlsafe(_KEY_BYTES)}")


def _kept(path: Path, fresh: str) -> SecretStr:
    """The text of `path`, which gets `fresh` when there is none; of several processes at once one wins."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _create(path, fresh)
        return SecretStr(path.read_text().strip())
    except OSError as error:
        raise CommandError(f"{path} can't be read or made: {error.strerror}") from error


def _create(path: Path, text: str) -> None:
    """Write `path` whole or not at all, unless it exists."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(partial, path)
    except FileExistsError:
        pass  # another process was first: its key counts
    finally:
        partial.unlink()
