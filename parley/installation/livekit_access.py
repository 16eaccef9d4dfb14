"""Where a LiveKit server is, and which key mints tokens for its rooms: options, else LiveKit's own variables."""

import argparse
import os
from pathlib import Path

from parley.command_error import CommandError


def asked_url(arguments: argparse.Namespace) -> str:
    """`--url`, else LIVEKIT_URL.

    Raises:
        CommandError: neither is there.
    """
    url = arguments.url or os.environ.get("LIVEKIT_URL")
    if not url:
        raise CommandError("say where the room is: --url wss://…, or LIVEKIT_URL", exit_code=2)
    return str(url)


def asked_key(arguments: argparse.Namespace) -> tuple[str, str] | None:
    """The API key and its secret, which are sent nowhere; None unless there are both.

    Raises:
        CommandError: the secret's file can't be read.
    """
    key = arguments.livekit_key or os.environ.get("LIVEKIT_API_KEY")
    secret = _secret(arguments)
    return (key, secret) if key and secret else None


def _secret(arguments: argparse.Namespace) -> str | None:
    file: Path | None = arguments.livekit_secret_file
    if file is None:
        return arguments.livekit_secret or os.environ.get("LIVEKIT_API_SECRET")
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"can't read --livekit-secret-file {file}: {type(error).__name__}", exit_code=2) from None
