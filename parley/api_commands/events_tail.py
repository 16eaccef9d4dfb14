"""`parley events tail`: the organization's events as they come."""

import argparse
import json

from parley.api_commands.event_words import event_words
from parley.api_commands.followed_events import followed
from parley.api_commands.with_api import with_api
from parley.client.api_client import ApiClient
from parley.terminal.visible import visible


def run_events_tail(arguments: argparse.Namespace) -> int:
    """Print events for ever: a line each, with `--json` the body as it came."""

    async def tail(api: ApiClient) -> None:
        async with followed(api, arguments) as events:
            async for event in events:
                line = event.body.decode() if arguments.json else visible(event_words(json.loads(event.body)))
                print(line, flush=True)

    with_api(tail)
    return 0
