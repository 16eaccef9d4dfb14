"""API hosts whose clocks are wrong, with libfaketime: every instant is the database's all the same."""

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from parley.servers.livekit_server import LiveKitServer
from sessions.timestamps import parse_timestamp
from tests.support.stack import Stack

OFF_SECONDS = 600
SLACK_SECONDS = 20.0  # of a busy machine, between the look at the key and the commit
NOT_YET_SECONDS = 300.0  # a token's rest, which the fast host takes for over; an old one, which the slow host takes


@pytest.fixture
def faketime() -> str:
    """The library to preload."""
    found = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if found is None:
        if os.environ.get("CI"):
            raise FileNotFoundError("libfaketime")
        pytest.skip("NO LIBFAKETIME: apt install libfaketime")
    return str(found)


async def test_hosts_that_are_ten_minutes_fast_and_slow_agree(
    tmp_path: Path, database_url: str, livekit: LiveKitServer, faketime: str
) -> None:
    """Stamps of one session fit each other, lists are newest first, and tokens are good until they expire."""
    async with Stack(tmp_path, database_url, livekit, {"PARLEY_DATA_DIR": str(tmp_path / "data")}) as stack:
        for name, off in (("fast", f"+{OFF_SECONDS}s"), ("slow", f"-{OFF_SECONDS}s")):
            await stack.start_api(name, LD_PRELOAD=faketime, FAKETIME=off, FAKETIME_DONT_FAKE_MONOTONIC="1")
        fast, slow = stack.bases

        async def create(base: str, name: str, ttl: float = 3600) -> tuple[int, Any]:
            transport = {"type": "livekit", "url": livekit.url, "room_name": name}
            transport["worker_token"] = stack.token(name, ttl=ttl)
            return await stack.call("POST", "/v1/sessions", {"transport": transport}, base=base)

        made = [await create(base, f"room-{number}") for number, base in enumerate((fast, slow, fast, slow))]
        lists = [(await stack.call("GET", "/v1/sessions", base=base))[1]["data"] for base in (fast, slow)]
        young, _ = await create(fast, "young", NOT_YET_SECONDS)
        old, refused = await create(slow, "old", -NOT_YET_SECONDS)

    assert [status for status, _ in made] == [201] * 4
    ids = [session["id"] for _, session in made]
    assert [[session["id"] for session in page] for page in lists] == [ids[::-1], ids[::-1]]
    for _, session in made:
        assert abs(_seconds(session["queued_at"], session["created_at"])) < SLACK_SECONDS, session
    assert young == 201
    assert (old, refused["error"]["code"]) == (422, "worker_token.expired")


def _seconds(later: str, earlier: str) -> float:
    instants: list[datetime] = [parse_timestamp(one) for one in (later, earlier)]
    return (instants[0] - instants[1]).total_seconds()
