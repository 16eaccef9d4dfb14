"""`parley sessions create`: have a room recorded."""

import argparse
import sys
from typing import Any

from parley.api_commands.session_end import exit_code_of, told, wait
from parley.api_commands.with_api import with_api
from parley.client.api_client import ApiClient, Resource
from parley.command_error import CommandError
from parley.installation.livekit_access import asked_key, asked_url
from parley.terminal.printing import print_document, say

_STDIN = "-"
_FIELDS = (
    "title",
    "agent_id",
    "task_id",
    "project_id",
    "external_customer_id",
    "max_duration_seconds",
    "idle_timeout_seconds",
)


def run_create(arguments: argparse.Namespace) -> int:
    """Print the session's id; with `--wait`, wait for its end.

    Raises:
        CommandError: the arguments don't fit together, the token can't be minted, or the API refuses.
    """
    body = _body(arguments)
    headers = {"Idempotency-Key": arguments.idempotency_key} if arguments.idempotency_key else {}

    async def create(api: ApiClient) -> int:
        session = await api.ask("POST", "/v1/sessions", body=body, headers=headers)
        if not arguments.json:
            print(session["id"], flush=True)
        if not arguments.wait:
            if arguments.json:
                print_document(session)
            elif sys.stdout.isatty():
                say(f"{told(session)}. `parley sessions tail {session['id']}` shows how it goes.")
            return 0
        say(f"{session['id']} is {session['status']}; waiting for its end")
        session = await wait(api, session["id"])
        if arguments.json:
            print_document(session)
        else:
            say(f"{session['id']}: {told(session)}")
        return exit_code_of(session)

    return with_api(create)


def _body(arguments: argparse.Namespace) -> Resource:
    transport: Resource = {
        "type": "livekit",
        "url": asked_url(arguments),
        "room_name": arguments.room,
        "worker_token": _token(arguments),
    }
    if arguments.synthetic_audio:
        transport["synthetic_audio_if_no_input"] = True
    body: Resource = {"transport": transport}
    body |= {name: value for name in _FIELDS if (value := getattr(arguments, name)) is not None}
    if arguments.tags:
        body["tags"] = arguments.tags
    if arguments.metadata:
        body["metadata"] = dict(_pair(text) for text in arguments.metadata)
    recording: dict[str, Any] = {"layout": arguments.layout} if arguments.layout else {}
    recording |= {"formats": arguments.formats} if arguments.formats else {}
    recording |= {"tracks": True} if arguments.tracks else {}
    if recording:
        body["recording"] = recording
    transcription = {"mode": arguments.transcription, "language": arguments.language}
    if chosen := {name: value for name, value in transcription.items() if value}:
        body["transcription"] = chosen
    return body


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise CommandError("--metadata takes NAME=VALUE", exit_code=2)
    return name, value


def _token(arguments: argparse.Namespace) -> str:
    """The worker's token: the one that was given, else one that is minted here; the secret is never sent."""
    if arguments.token:
        return str(arguments.token) if arguments.token != _STDIN else sys.stdin.readline().strip()
    found = asked_key(arguments)
    if found is None:
        raise CommandError(
            "the worker needs a token for the room: give --token, or LIVEKIT_API_KEY and LIVEKIT_API_SECRET "
            "(or --livekit-secret-file) to mint one",
            exit_code=2,
        )
    from parley.installation.worker_tokens import recorder_token

    key, secret = found
    return recorder_token(key, secret, arguments.room, arguments.identity)
