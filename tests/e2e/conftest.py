"""The stack of an end-to-end test: real PostgreSQL, real livekit-server, our processes."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.stack import Stack


@pytest.fixture
async def stack(tmp_path: Path, database_url: str, livekit: Any) -> AsyncIterator[Stack]:
    """A stack without processes yet; whatever it starts is killed afterwards."""
    async with Stack(tmp_path, database_url, livekit) as one:
        yield one


@pytest.fixture
def room(request: pytest.FixtureRequest) -> str:
    """A room name of this test's own."""
    return f"room-{request.node.name[:60]}".replace("[", "-").replace("]", "")


@pytest.fixture
def talker(stack: Stack, room: str) -> Callable[..., Any]:
    """`talker(identity, plan)`: a participant of the test's room that beeps."""
    from tests.support.beeps import BeepTalker, mint_token

    def make(identity: str, plan: Any, *, room_name: str = room) -> BeepTalker:
        token = mint_token(stack.livekit.api_key, stack.livekit.api_secret, room_name, identity)
        return BeepTalker(stack.livekit.url, token, plan)

    return make
