"""The stack of an end-to-end test: real PostgreSQL, real livekit-server, our processes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from parley.servers.livekit_server import LiveKitServer
from tests.support.running.stack import Stack
from tests.support.services.postgres_cluster import PostgresCluster
from tests.support.talkers.beeps import BeepTalker, mint_token
from tests.support.talkers.slots import SlotTalker, SlotVoice


@pytest.fixture
async def stack(tmp_path: Path, database_url: str, livekit: LiveKitServer) -> AsyncIterator[Stack]:
    """A stack without processes yet; whatever it starts is killed afterwards."""
    async with Stack(tmp_path, database_url, livekit) as one:
        yield one


@pytest.fixture(scope="session")
def common_processes(
    common_database_url: str, livekit: LiveKitServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """An API and a worker that recognizes no speech; half of what an end-to-end test computes is to start its own."""
    stack = Stack(tmp_path_factory.mktemp("common"), common_database_url, livekit)
    with asyncio.Runner(debug=True, loop_factory=asyncio.new_event_loop) as runner:
        runner.run(stack.__aenter__())
        try:
            runner.run(stack.start_api())
            runner.run(stack.start_worker(PARLEY_SPEECH_ENGINE="none"))
            yield stack
        finally:
            runner.run(stack.__aexit__(None, None, None))


@pytest.fixture
async def common_stack(common_processes: Stack) -> AsyncIterator[Stack]:
    """For tests that need one API and one worker, hurt neither, and look at nobody else's sessions."""
    async with common_processes.lent() as stack:
        yield stack


@pytest.fixture
def room(request: pytest.FixtureRequest) -> str:
    """A room name of this test's own."""
    return f"room-{request.node.name[:60]}".replace("[", "-").replace("]", "")


@pytest.fixture
def talker(livekit: LiveKitServer, room: str) -> Callable[..., Any]:
    """`talker(identity, plan)`: a participant of the test's room that beeps."""

    def make(identity: str, plan: Any, *, room_name: str = room) -> BeepTalker:
        token = mint_token(livekit.api_key, livekit.api_secret, room_name, identity)
        return BeepTalker(livekit.url, token, plan)

    return make


@pytest.fixture
async def own_stack(tmp_path: Path, own_postgres: PostgresCluster, livekit: LiveKitServer) -> AsyncIterator[Stack]:
    """A stack on that PostgreSQL, with the heartbeats of production in proportion to the outage."""
    async with Stack(tmp_path, own_postgres.url, livekit) as one:
        yield one


@pytest.fixture
def speaker(livekit: LiveKitServer, room: str) -> Callable[..., SlotTalker]:
    """`speaker(identity, number, **more)`: a participant of the test's room who says when it spoke."""

    def make(identity: str, number: int, **more: Any) -> SlotTalker:
        token = mint_token(livekit.api_key, livekit.api_secret, room, identity)
        return SlotTalker(livekit.url, token, SlotVoice(number), **more)

    return make
