"""`parley listen`: the organization's events, posted as webhooks to a receiver that needs no public address."""

import argparse
import asyncio
import json
import os
import time
from pathlib import Path

from parley.api_commands.event_words import event_words
from parley.api_commands.followed_events import followed
from parley.api_commands.with_api import with_api
from parley.client.api_client import ApiClient, Resource
from parley.client.event_stream import StreamedEvent
from parley.client.listeners import Listener, announced
from parley.client.webhook_receiver import (
    ReceiverAnswer,
    WebhookReceiver,
    checked_secret,
    checked_url,
    new_secret,
    reaching_receiver,
)
from parley.command_error import CommandError
from parley.terminal.printing import print_json_line, say
from parley.terminal.visible import visible

_RESTART_SECONDS = 30.0
"""How long an event waits for a receiver that isn't there, as it may just be starting again."""

_RESTART_POLL_SECONDS = 0.5


def run_listen(arguments: argparse.Namespace) -> int:
    """Post events, and print each answer, until interrupted.

    Raises:
        CommandError: the API refuses for good, or an argument is none.
    """
    url = checked_url(arguments.forward_to)
    secret = read_secret(arguments.secret_file) or new_secret()

    async def listen(api: ApiClient) -> None:
        say(f"Events of {api.base_url} go to {url}, signed with {secret}")
        async with reaching_receiver(url, secret) as receiver, followed(api, arguments) as events:
            async for event in events:
                body = json.loads(event.body)
                show(body, await _deliver(receiver, event, body), as_json=arguments.json)

    with announced(Listener(url, secret), os.environ):
        with_api(listen)
    return 0


async def _deliver(receiver: WebhookReceiver, event: StreamedEvent, body: Resource) -> ReceiverAnswer:
    deadline = time.monotonic() + _RESTART_SECONDS
    said = False
    while True:
        answer = await receiver.post(body["id"], event.body)
        if answer.connected or time.monotonic() > deadline:
            return answer
        if not said:
            say(f"{receiver.url}: {answer.said}; waiting for it")
            said = True
        await asyncio.sleep(_RESTART_POLL_SECONDS)


def read_secret(file: Path | None) -> str | None:
    """The secret in `file`; None without one.

    Raises:
        CommandError: it can't be read, or holds none (exit code 2).
    """
    if file is None:
        return None
    try:
        return checked_secret(file.read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"can't read {file}: {type(error).__name__}", exit_code=2) from None


def show(body: Resource, answer: ReceiverAnswer, *, as_json: bool) -> None:
    """What became of a delivery."""
    if as_json:
        delivery = {"event_id": body["id"], "event_type": body["type"], "session_id": body["session_id"]}
        outcome = {"status": answer.status, "ms": answer.took_ms, "said": answer.said}
        print_json_line({"object": "delivery", **delivery, **outcome})
        return
    mark = "✓" if answer.is_accepted else "✗"
    status = "" if answer.status is None else str(answer.status)
    said = "" if answer.is_accepted else answer.said[:200].strip()
    result = "  ".join(word for word in (f"{mark} {status}".rstrip(), f"{answer.took_ms} ms", said) if word)
    print(visible(f"{event_words(body)}  {result}"), flush=True)
