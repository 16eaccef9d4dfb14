"""What stands around a recorder in a test: what the API would do, and where things end up."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from pydantic import SecretStr

from parley.servers.livekit_server import LiveKitServer
from sessions.ids import format_id, new_uuid
from sessions.session import LiveKitTransport, Session
from sessions.settings import Settings
from store.database.database import Database
from store.database.database_access import DatabaseAccess
from store.objects.objects import Objects
from store.sessions.new_session import NewSession
from store.sessions.sessions import Sessions
from tests.support.talkers.beeps import mint_token
from worker.processes.recorder_opening import OpenRecorder, RecorderPost, open_recorder


async def until(probe: Callable[[], Awaitable[Any]], *, seconds: float = 20) -> Any:
    """The first truthy answer of `probe`; fails after `seconds`."""
    async with asyncio.timeout(seconds):
        while True:
            answer = await probe()
            if answer:
                return answer
            await asyncio.sleep(0.05)


def seconds_between(start: datetime | None, end: datetime | None) -> float:
    """From one stamp of a session to another; both have been set."""
    assert start is not None
    assert end is not None
    return (end - start).total_seconds()


@dataclass
class Studio:
    """Everything around recorders: what the API would do, and where things end up."""

    settings: Settings
    access: DatabaseAccess
    db: Database
    sessions: Sessions
    organization_id: uuid.UUID
    objects: Objects
    livekit: LiveKitServer
    running: dict[OpenRecorder, "asyncio.Task[bool]"] = field(default_factory=dict)

    def token(self, room: str, identity: str, **grants: Any) -> str:
        return mint_token(self.livekit.api_key, self.livekit.api_secret, room, identity, **grants)

    async def create(
        self,
        room: str,
        *,
        token: str | None = None,
        url: str | None = None,
        idle_timeout_seconds: int = 60,
        max_duration_seconds: int = 600,
        sine: bool = False,
        subscribe_to_identity: str | None = None,
        audio_source: Literal["track", "data_stream"] = "track",
    ) -> Session:
        """Queue a session for `room`."""
        worker_token = token or self.token(room, "worker", can_publish=False, hidden=True, recorder=True)
        new = NewSession(
            id=new_uuid(),
            transport=LiveKitTransport(
                url or self.livekit.url, room, "worker", audio_source, subscribe_to_identity, sine
            ),
            token=SecretStr(worker_token),
            token_expires_at=datetime.now(UTC) + timedelta(hours=1),
            quality="standard",
            multiplier=Decimal("1.000"),
            max_duration_seconds=max_duration_seconds,
            idle_timeout_seconds=idle_timeout_seconds,
        )
        return await self.sessions.creation.create(self.organization_id, new, render=lambda _: (201, b""))

    async def get(self, session: Session) -> Session:
        return await self.sessions.queries.get(self.organization_id, session.id)

    async def reaches(self, session: Session, *statuses: str, seconds: float = 20) -> Session:
        """The session, once it has one of these statuses."""

        async def probe() -> Session | None:
            now = await self.get(session)
            return now if now.status in statuses else None

        found: Session = await until(probe, seconds=seconds)
        return found

    async def sealed(self, session: Session, epoch: int = 1, *, seconds: float = 20) -> None:
        """Wait until the run is sealed."""
        from sqlalchemy import text

        async def probe() -> bool:
            async with self.db.begin() as conn:
                query = text("SELECT sealed_at IS NOT NULL FROM runs WHERE session_id = :id AND epoch = :epoch")
                return bool((await conn.execute(query, {"id": session.id, "epoch": epoch})).scalar_one_or_none())

        await until(probe, seconds=seconds)

    async def segments(self, session: Session) -> list[tuple[str, bytes]]:
        """Key and bytes of every uploaded segment, by key."""
        found = await self.objects.list(f"spool/{format_id('sess', session.id)}")
        return [(key, await self.objects.get(key)) for key, _ in found]

    @asynccontextmanager
    async def recorder(
        self, memory: Callable[[], int] = int, guard_port: int | None = None, **changes: Any
    ) -> AsyncIterator[OpenRecorder]:
        """A recorder process; stopped without grace at the end of the block. `memory` is how many bytes it has."""
        settings = self.settings.model_copy(update=changes)
        post = RecorderPost(new_uuid(), guard_port=guard_port)
        async with open_recorder(settings, self.access, self.objects, post, memory=memory) as recorder:
            running = self.running[recorder] = asyncio.create_task(recorder.run())
            try:
                yield recorder
            finally:
                recorder.process.stop()
                await asyncio.wait_for(running, 60)
