"""`parley trigger`: an example of an event, posted to whoever listens."""

import argparse
import json
import os
from datetime import UTC, datetime

from parley.api_commands.listen import read_secret, show
from parley.api_commands.with_api import with_api
from parley.client.api_client import ApiClient, Resource
from parley.client.listeners import Listener, running_listeners
from parley.client.webhook_receiver import checked_url, new_secret, reaching_receiver
from parley.command_error import CommandError
from parley.terminal.printing import say
from sessions.ids import format_id, new_uuid
from sessions.texts.timestamps import format_timestamp

_EXIT_NOT_ACCEPTED = 1


def run_trigger(arguments: argparse.Namespace) -> int:
    """Post the example to `--forward-to`, else to every `parley listen` on this machine; 1 if one did not take it.

    Raises:
        CommandError: there is no such type of event, or nobody listens.
    """
    listeners = _listeners(arguments)

    async def trigger(api: ApiClient) -> int:
        event = await _example(api, arguments.type)
        body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        accepted = True
        for listener in listeners:
            async with reaching_receiver(listener.forward_to, listener.secret) as receiver:
                answer = await receiver.post(event["id"], body)
            show(event, answer, as_json=arguments.json)
            accepted &= answer.is_accepted
        return 0 if accepted else _EXIT_NOT_ACCEPTED

    return with_api(trigger)


def _listeners(arguments: argparse.Namespace) -> list[Listener]:
    secret = read_secret(arguments.secret_file)
    if arguments.forward_to is None:
        if secret is not None:
            raise CommandError("--secret-file goes with --forward-to", exit_code=2)
        found = running_listeners(os.environ)
        if not found:
            raise CommandError("nobody listens here: run `parley listen --forward-to URL`, or give --forward-to")
        return found
    url = checked_url(arguments.forward_to)
    if secret is None:
        secret = new_secret()
        say(f"signed with {secret}")
    return [Listener(url, secret)]


async def _example(api: ApiClient, type_: str) -> Resource:
    """As the API shows it, with an id of its own, as receivers drop what they have had."""
    known = {entry["type"]: entry["example"] for entry in (await api.ask("GET", "/v1/event_types"))["data"]}
    if type_ not in known:
        raise CommandError(f"there is no event type {type_!r}; there are {', '.join(known)}", exit_code=2)
    return {**known[type_], "id": format_id("evt", new_uuid()), "created_at": format_timestamp(datetime.now(UTC))}
