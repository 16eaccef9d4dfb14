"""Rooms on a LiveKit server of our own, with a talker in each."""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from livekit import api

from bench.children.line_child import LineChild
from parley.servers.livekit_server import LiveKitServer

RECORDER = "bench-recorder"
_TALKERS_PER_PROCESS = 10
_TOKEN_HOURS = 6

Answer = TypeVar("Answer")


def child_argv(name: str) -> list[str]:
    """The command of a program in `bench/children`."""
    return [sys.executable, "-m", f"bench.children.{name}"]


def room_names(count: int) -> list[str]:
    """The names of the rooms that talkers are in."""
    return [f"bench-{number:03d}" for number in range(count)]


def recorder_token(server: LiveKitServer, room: str, identity: str = RECORDER) -> str:
    """A token for a recorder, as a customer mints it."""
    grants = api.VideoGrants(
        room_join=True, room=room, can_subscribe=True, can_publish=False, hidden=True, recorder=True
    )
    return _token(server, identity, grants)


def unserved_transport(room: str) -> dict[str, str]:
    """The transport of a session that no worker will take: nobody runs one."""
    token = api.AccessToken("key", "s" * 40).with_identity(RECORDER).with_ttl(timedelta(hours=_TOKEN_HOURS))
    jwt = token.with_grants(api.VideoGrants(room_join=True, room=room)).to_jwt()
    return {"type": "livekit", "url": "wss://rooms.example.com", "room_name": room, "worker_token": jwt}


def chatter_token(server: LiveKitServer, room: str, identity: str) -> str:
    """A token for somebody who only writes and reads."""
    return _token(server, identity, api.VideoGrants(room_join=True, room=room, can_publish_data=True))


@contextlib.contextmanager
def talkers(server: LiveKitServer, count: int, folder: Path) -> Iterator[None]:
    """One talker in each of `count` rooms, in processes of their own."""
    with contextlib.ExitStack() as stack:
        children = []
        names = room_names(count)
        for first in range(0, count, _TALKERS_PER_PROCESS):
            child = stack.enter_context(LineChild(child_argv("publisher"), folder / "publishers.log"))
            some = names[first : first + _TALKERS_PER_PROCESS]
            tokens = [_token(server, "talker", api.VideoGrants(room_join=True, room=room)) for room in some]
            child.send({"url": server.url, "tokens": tokens})
            children.append(child)
        for child in children:
            child.receive()
        yield


def on_server(server: LiveKitServer, call: Callable[[api.LiveKitAPI], Awaitable[Answer]]) -> Answer:
    """Call the server's API as the rooms' owner."""

    async def run() -> Answer:
        url = server.url.replace("ws", "http", 1)
        async with api.LiveKitAPI(url, server.api_key, server.api_secret) as client:
            return await call(client)

    return asyncio.run(run())


def _token(server: LiveKitServer, identity: str, grants: api.VideoGrants) -> str:
    return (
        api.AccessToken(server.api_key, server.api_secret)
        .with_identity(identity)
        .with_ttl(timedelta(hours=_TOKEN_HOURS))
        .with_grants(grants)
        .to_jwt()
    )
