"""`parley sessions download`: the recording in any form, or the transcript."""

import argparse
import os
import secrets
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from parley.api_commands.session_end import wait
from parley.api_commands.with_api import with_api
from parley.client.api_client import ApiClient
from parley.client.audio_download import AudioDownload
from parley.client.sessions import is_terminal, session_path
from parley.command_error import CommandError
from parley.terminal.printing import say
from sessions.audio_formats import AUDIO_FORMATS

TRANSCRIPT_FORMATS = {
    "vtt": "text/vtt",
    "srt": "application/x-subrip",
    "txt": "text/plain",
    "json": "application/json",
}
_STDOUT = Path("-")

Write = Callable[[bytes], object]


def run_download(arguments: argparse.Namespace) -> int:
    """Save the file and print its path; `--output -` writes it to stdout.

    Raises:
        CommandError: there is no such file, the session isn't over, or the path is taken.
    """
    form = arguments.format
    if arguments.identity and form not in AUDIO_FORMATS:
        raise CommandError("--identity goes with an audio format", exit_code=2)
    path: Path = arguments.output or Path(f"{_file_name(arguments)}.{form}")
    if path.is_dir():
        path /= f"{_file_name(arguments)}.{form}"
    if path != _STDOUT and path.exists() and not arguments.force:
        raise CommandError(f"{path} exists: give another --output, or --force", exit_code=2)

    async def fetch(api: ApiClient, write: Write) -> int:
        session = await api.ask("GET", session_path(arguments.session_id))
        if not is_terminal(session):
            if not arguments.wait:
                end = f"parley sessions end {session['id']}"
                raise CommandError(f"the session is {session['status']}: end it (`{end}`), or give --wait")
            await wait(api, session["id"])
        if form in AUDIO_FORMATS:
            return await AudioDownload(api, session["id"], form, arguments.identity).save(write)
        async with api.opened(
            "GET", session_path(session["id"], "/transcript"), headers={"Accept": TRANSCRIPT_FORMATS[form]}
        ) as answer:
            return _counted(write, await answer.read())

    if path == _STDOUT:
        with_api(lambda api: fetch(api, sys.stdout.buffer.write))
    else:
        _save(path, fetch)
    return 0


def _save(path: Path, fetch: Callable[[ApiClient, Write], Awaitable[int]]) -> None:
    """The file appears under its name when it is whole."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with partial.open("xb") as opened:
            size_bytes = with_api(lambda api: fetch(api, opened.write))
            opened.flush()
            os.fsync(opened.fileno())
        partial.replace(path)
    except OSError as error:
        raise CommandError(f"can't write {path}: {os.strerror(error.errno or 0)}") from None
    finally:
        partial.unlink(missing_ok=True)
    print(path)
    say(f"{size_bytes:,} bytes")


def _file_name(arguments: argparse.Namespace) -> str:
    """The id, and whose file it is; never what makes another folder of it."""
    parts = [arguments.session_id, *([arguments.identity] if arguments.identity else [])]
    return "-".join(
        "".join(letter if letter.isalnum() or letter in "_.-" else "_" for letter in part) for part in parts
    )


def _counted(write: Write, data: bytes) -> int:
    write(data)
    return len(data)
