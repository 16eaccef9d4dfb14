"""A recorder process inside the test's own loop, with a real database, object storage and LiveKit server."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from livekit import rtc
from pydantic import SecretStr

from parley.servers.livekit_server import LiveKitServer
from sessions.settings import Settings
from store.access.api_keys import ApiKeys
from store.access.vault import TokenVault
from store.database.database import Database
from store.database.database_access import DatabaseAccess
from store.objects.objects import Objects
from store.sessions.sessions import Sessions
from tests.integration.worker.studio import Studio
from worker.joining import joins
from worker.room.livekit import joining as livekit_joining
from worker.room.livekit.room import LiveKitRoom

SECRET = SecretStr("s" * 40)


@pytest.fixture
async def studio(database_url: str, livekit: LiveKitServer, tmp_path: Path) -> AsyncIterator[Studio]:
    """Quick settings: a beat per half second, segments of two seconds."""
    settings = Settings(
        data_dir=tmp_path / "data",
        database_url=SecretStr(database_url),
        secret_key=(SECRET,),
        heartbeat_seconds=0.5,
        stalled_seconds=3,
        segment_seconds=2,
        grace_seconds=0,
        join_seconds=10,
        rejoin_seconds=30,
        allow_private_hosts=True,
    )
    async with Database.open(SecretStr(database_url), timeout_seconds=3, application_name="test") as db:
        principal_row = await _organization(db)
        yield Studio(
            settings,
            DatabaseAccess(SecretStr(database_url), settings.database_timeout_seconds),
            db,
            Sessions.open(db, TokenVault([SECRET])),
            principal_row,
            Objects.open(f"file://{tmp_path / 'objects'}"),
            livekit,
        )


async def _organization(db: Database) -> uuid.UUID:
    key = SecretStr("parley_master_" + "k" * 43)
    keys = ApiKeys(db)
    await keys.ensure_master(key)
    return (await keys.authenticate(key.get_secret_value())).organization_id


@pytest.fixture
def room() -> str:
    """A room of this test's own."""
    return f"room-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> list[rtc.Room]:
    """The SDK's room of every join of the worker, in order."""
    joined: list[rtc.Room] = []
    connect = livekit_joining.connect_room

    async def tapped(*arguments: Any) -> LiveKitRoom:
        room = await connect(*arguments)
        joined.append(room._room)
        return room

    monkeypatch.setattr(joins, "connect_room", tapped)
    return joined
