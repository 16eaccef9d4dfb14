"""Following the organization's events, and saying where to go on."""

import argparse
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from parley.client.api_client import ApiClient
from parley.client.event_stream import EventStream, StreamedEvent
from parley.terminal.printing import say


@asynccontextmanager
async def followed(api: ApiClient, arguments: argparse.Namespace) -> AsyncIterator[AsyncIterator[StreamedEvent]]:
    """The events that the arguments choose; whoever leaves learns how to go on without a gap."""
    chosen = {"types": arguments.types, "session_id": arguments.session_id, "agent_id": arguments.agent_id}
    begun = False

    def changed(reason: str | None) -> None:
        nonlocal begun
        where = f"after {arguments.after}" if arguments.after else "from now on"
        say(f"{reason}; trying again" if reason else "going on" if begun else f"following events {where}")
        begun = begun or reason is None

    params = {name: value for name, value in chosen.items() if value}
    stream = EventStream(api, params=params, cursor=arguments.after, changed=changed)
    try:
        async with aclosing(stream.events()) as events:
            yield events
    finally:
        if begun and stream.cursor is not None:
            say(f"--after {stream.cursor} goes on from here")
