"""`parley sessions`: what customers do with sessions, over the HTTP API."""

import argparse
from pathlib import Path

from parley.arguments.adding_commands import ACCOUNT_HELP, Commands, Run, add_command, add_group
from parley.arguments.livekit import add_livekit_key, add_livekit_url
from parley.commands.loading import loading
from sessions.audio_formats import AUDIO_FORMATS, MADE_FORMATS

_SESSION_ID_HELP = "sess_…, as `parley sessions list` prints it"
_TRANSCRIPT_FORMATS = ("vtt", "srt", "txt", "json")
_STATUSES = ("created", "queued", "starting", "running", "paused", "ending", "ended", "failed", "canceled")
_COMMANDS = {
    "end": ("end a session", "Stops recording, and keeps the recording."),
    "cancel": ("cancel a session", "Stops at once. What was recorded is kept, and the session counts as canceled."),
    "pause": ("pause a session", "Records nothing, and bills nothing, until `parley sessions resume`."),
    "resume": ("resume a paused session", "Records again."),
}


def add_sessions(commands: Commands) -> None:
    """The group and its actions."""
    text = "Has rooms recorded, and shows and downloads what comes of it, over the HTTP API."
    actions = add_group(commands, "sessions", "record rooms, and get what was recorded", text, epilog=ACCOUNT_HELP)
    _add_create(actions)
    _add_list(actions)
    _add_json(_with_session(actions, "get", _run_get, "show a session", "Shows what a session is and was asked to do."))
    for name, (summary, description) in _COMMANDS.items():
        command = _with_session(actions, name, _run_command, summary, description)
        _add_json(command)
        if name == "end":
            command.add_argument("--wait", action="store_true", help="until the recording is stored")
    tail = _with_session(
        actions,
        "tail",
        _run_tail,
        "watch a session",
        "Shows a session's events, and what is said and written in it, as that comes; on a terminal also its state and "
        "level. It ends when the session is over and its transcript is complete.",
    )
    tail.add_argument("--json", action="store_true", help="one document per line: events and transcript segments")
    _add_download(actions)


def _add_create(actions: Commands) -> None:
    create = _action(
        actions,
        "create",
        _run_create,
        "have a room recorded",
        "Has a LiveKit room recorded, and prints the session's id. The worker needs a token for the room: one that you "
        "have, or one that is minted here from LiveKit's API key and secret, which are not sent anywhere.",
    )
    add_livekit_url(create)
    create.add_argument("--room", metavar="NAME", required=True, help="room to record")
    create.add_argument("--token", metavar="TOKEN", default=None, help="worker's token; - reads it from stdin")
    add_livekit_key(create)
    create.add_argument(
        "--identity", metavar="NAME", default="parley-recorder", help="of the minted token (default: %(default)s)"
    )
    create.add_argument("--title", metavar="TEXT", default=None, help="what people call it")
    create.add_argument("--tag", metavar="TEXT", action="append", default=[], dest="tags", help="may be repeated")
    create.add_argument("--metadata", metavar="NAME=VALUE", action="append", default=[], help="may be repeated")
    _add_owners(create)
    create.add_argument("--max-duration-seconds", metavar="N", type=int, default=None, help="the session ends then")
    create.add_argument("--idle-timeout-seconds", metavar="N", type=int, default=None, help="without anybody to record")
    create.add_argument("--layout", choices=["mono", "stereo"], default=None, help="of conversation.wav")
    create.add_argument(
        "--format",
        choices=MADE_FORMATS,
        action="append",
        default=[],
        dest="formats",
        help="made besides WAV, may be repeated",
    )
    create.add_argument("--tracks", action="store_true", help="also a file of each participant")
    create.add_argument(
        "--transcription",
        choices=["live", "after", "off"],
        default=None,
        help="when speech is recognized",
    )
    create.add_argument("--language", metavar="TAG", default=None, help="what is spoken, such as en or pt-BR")
    create.add_argument(
        "--synthetic-audio",
        action="store_true",
        help="a tone, after ten seconds alone: to try it",
    )
    create.add_argument(
        "--idempotency-key", metavar="TEXT", default=None, help="the same one twice within 24 h makes one session"
    )
    create.add_argument("--wait", action="store_true", help="until the session is over; exits with 6 if it failed")
    _add_json(create)


def _add_list(actions: Commands) -> None:
    listing = _action(actions, "list", _run_list, "list sessions", "Lists sessions, newest first.")
    listing.add_argument(
        "--status",
        choices=[*_STATUSES, "active", "terminal"],
        action="append",
        default=[],
        help="may be repeated; active and terminal are several",
    )
    _add_owners(listing)
    listing.add_argument("--tag", metavar="TEXT", default=None, help="only sessions with this tag")
    listing.add_argument("--created-after", metavar="TIME", default=None, help="such as 2026-11-22T00:00:00Z")
    listing.add_argument("--created-before", metavar="TIME", default=None, help="exclusive")
    number = listing.add_mutually_exclusive_group()
    number.add_argument("--limit", metavar="N", type=_positive, default=20, help="how many (default: %(default)s)")
    number.add_argument("--all", action="store_true", help="all of them")
    listing.add_argument("--json", action="store_true", help="one document per line")


def _add_download(actions: Commands) -> None:
    download = _with_session(
        actions,
        "download",
        _run_download,
        "save a recording or a transcript",
        "Saves the recording, in a form that is made if it isn't there yet, or the transcript. A download goes on "
        "where its connection broke, and the file appears when it is whole and has the digest that the API names.",
    )
    download.add_argument(
        "--format", choices=[*AUDIO_FORMATS, *_TRANSCRIPT_FORMATS], default="wav", help="default: %(default)s"
    )
    download.add_argument("--identity", metavar="NAME", default=None, help="this participant's own file")
    download.add_argument(
        "--output",
        metavar="PATH",
        type=Path,
        default=None,
        help="file or folder, - is stdout (default: SESSION_ID.FORMAT)",
    )
    download.add_argument("--force", action="store_true", help="replace a file that is there")
    download.add_argument("--wait", action="store_true", help="until the session is over")


def _add_owners(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--agent", metavar="AGENT_ID", default=None, dest="agent_id", help="whose session it is")
    parser.add_argument("--task", metavar="TASK_ID", default=None, dest="task_id", help="which task it belongs to")
    parser.add_argument(
        "--project", metavar="PROJECT_ID", default=None, dest="project_id", help="which project it is in"
    )
    parser.add_argument(
        "--customer",
        metavar="ID",
        default=None,
        dest="external_customer_id",
        help="your customer, whom you bill for it",
    )


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError("must be a number from 1 on")
    return int(text)


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print what the API answers")


def _action(actions: Commands, name: str, run: Run, summary: str, description: str) -> argparse.ArgumentParser:
    return add_command(actions, name, run, summary, description, epilog=ACCOUNT_HELP)


def _with_session(actions: Commands, name: str, run: Run, summary: str, description: str) -> argparse.ArgumentParser:
    parser = _action(actions, name, run, summary, description)
    parser.add_argument("session_id", metavar="SESSION_ID", help=_SESSION_ID_HELP)
    return parser


def _run_create(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.api_commands.create_session import run_create

    return run_create(arguments)


def _run_list(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.api_commands.sessions import run_list

    return run_list(arguments)


def _run_get(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.api_commands.sessions import run_get

    return run_get(arguments)


def _run_command(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.api_commands.sessions import run_command

    return run_command(arguments)


def _run_tail(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.api_commands.tail import run_tail

    return run_tail(arguments)


def _run_download(arguments: argparse.Namespace) -> int:
    with loading():
        from parley.api_commands.download import run_download

    return run_download(arguments)
