"""A store with sessions in it, for tests of the engine: rows are made directly, time is moved by moving stamps."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID, uuid4

from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.ids import new_uuid
from sessions.lifecycle.lifecycle import Status
from sessions.session import Session
from store.access.vault import Slot, TokenVault
from store.database.database import Database
from store.lifecycle.session_rows import read_session
from store.outputs.freeze import Freezes, FrozenPlan, Product
from store.runs.beat_writing import Beat, BeatAnswer
from store.runs.claimer import Claimer
from store.runs.claims import Claim, Claims
from store.runs.fence import Fence
from store.runs.look import Look
from store.runs.runs import Runs
from store.usage.ledger import Ledger, UsageEvent

STALLED_SECONDS = 15.0
PRODUCT = Product("key", "00" * 32, 1044, 36_000_000, 48000, 1, -3.0, [], [], [], incomplete=False)


@dataclass
class Engine:
    """The parts of the store that claim, run and finalize, on one database."""

    db: Database
    vault: TokenVault
    claims: Claims
    runs: Runs
    freezes: Freezes
    ledger: Ledger
    _stamps: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, pool_size: int = 8) -> AsyncIterator[Self]:
        """Everything wired on one pool."""
        vault = TokenVault([SecretStr("s" * 32)])
        async with Database.open(url, timeout_seconds=10, application_name="test", pool_size=pool_size) as db:
            yield cls(db, vault, Claims(db, vault), Runs(db, vault), Freezes(db), Ledger(db))

    async def sql(self, statement: str, **parameters: Any) -> list[Any]:
        """Run one statement; its rows, if it has some."""
        async with self.db.begin() as conn:
            result = await conn.execute(text(statement), parameters)
            return list(result.all()) if result.returns_rows else []

    async def new_session(self, status: str = "queued", token: str = "first", **columns: Any) -> UUID:
        """A voice session with a token."""
        session_id = new_uuid()
        values = {
            "id": session_id,
            "organization_id": UUID(int=1),
            "kind": "voice",
            "status": status,
            "url": "ws://rooms.example",
            "room_key": "rooms.example:80",
            "room_name": f"room-{session_id}",
            "worker_identity": "worker",
            "audio_source": "track",
            "quality": "standard",
            "multiplier": 1,
            "max_duration_seconds": 3600,
            "idle_timeout_seconds": 30,
            "layout": "mono",
            "on_pause": "silence",
            "agent_id": "agent",
            **columns,
        }
        names = ", ".join(values)
        await self.sql(
            f"INSERT INTO sessions ({names}, created_at, updated_at, queued_at, token_expires_at)"
            f" VALUES ({', '.join(':' + name for name in values)}, now(), now(), now(), now() + interval '1 hour')",
            **values,
        )
        await self.put_token(session_id, "customer", token, minutes=60)
        return session_id

    async def put_token(self, session_id: UUID, slot: str, token: str, minutes: int) -> None:
        """Fill a slot of the vault."""
        await self.sql(
            "INSERT INTO worker_tokens VALUES (:id, :slot, :sealed, now() + make_interval(mins => :minutes))",
            id=session_id,
            slot=slot,
            sealed=self.vault.seal(session_id, Slot(slot), SecretStr(token)),
            minutes=minutes,
        )

    async def claim(
        self,
        owner: UUID | None = None,
        free: int = 10,
        *,
        known: Iterable[UUID] = (),
        may_judge_stale: bool = True,
        look: Look = Look.THOROUGH,
        quarantine: bool = False,
    ) -> list[Claim]:
        """Claim as a process that may judge."""
        claimer = Claimer(owner or uuid4(), "host", free, tuple(known), may_judge_stale, STALLED_SECONDS, quarantine)
        return await self.claims.claim(claimer, look)

    async def running(self, **columns: Any) -> Fence:
        """A new session, claimed and joined."""
        session_id = await self.new_session(**columns)
        owner = uuid4()
        claimed = await self.claim(owner, known=())
        assert [session_id] == [claim.session.id for claim in claimed]
        fence = Fence(session_id, claimed[0].epoch, owner)
        await self.runs.mark_running(fence)
        return fence

    async def takeover(self, session_id: UUID, **options: Any) -> Fence:
        """Claim a session that has a run already, and join; a row that somebody holds is tried again."""
        owner = uuid4()
        for _ in range(200):
            claimed = [claim for claim in await self.claim(owner, **options) if claim.session.id == session_id]
            if claimed:
                break
        [claim] = claimed
        fence = Fence(session_id, claim.epoch, owner)
        await self.runs.mark_running(fence)
        return fence

    async def beat(self, fence: Fence, *, joined: bool = True, frames: int = 0, audio_ms: int = 0) -> BeatAnswer:
        """One beat of one run."""
        beat = Beat(fence.session_id, fence.epoch, joined, frames, audio_ms, None, None, lost=not joined)
        return await self.runs.beat(fence.owner, [beat], STALLED_SECONDS)

    async def pass_seconds(self, seconds: float) -> None:
        """Let time pass for every session, run and pause: all their stamps move into the past."""
        async with self.db.begin() as conn:
            for table in ("sessions", "runs", "session_pauses"):
                moved = ", ".join(
                    f"{stamp} = {stamp} - make_interval(secs => :seconds)"
                    for stamp in await self._stamps_of(conn, table)
                )
                await conn.execute(text(f"UPDATE {table} SET {moved}"), {"seconds": seconds})

    async def _stamps_of(self, conn: AsyncConnection, table: str) -> list[str]:
        """Its columns that are stamps; looked up once, as that takes longer than to move them."""
        if table not in self._stamps:
            columns = await conn.execute(
                text(
                    "SELECT column_name FROM information_schema.columns WHERE table_name = :table"
                    " AND table_schema = 'public' AND data_type = 'timestamp with time zone'"
                ),
                {"table": table},
            )
            self._stamps[table] = list(columns.scalars())
            assert self._stamps[table], table
        return self._stamps[table]

    async def session(self, session_id: UUID) -> Session:
        """The session as it is now."""
        async with self.db.begin() as conn:
            return await read_session(conn, session_id)

    async def status(self, session_id: UUID) -> Status:
        """Its status."""
        return (await self.session(session_id)).status

    async def events(self, session_id: UUID) -> list[str]:
        """The types of its events, in their order."""
        rows = await self.sql("SELECT type FROM session_events WHERE session_id = :id ORDER BY seq", id=session_id)
        return [row.type for row in rows]

    async def bill(self, session_id: UUID) -> list[UsageEvent]:
        """Its rows of the ledger."""
        rows, more = await self.ledger.events(UUID(int=1), session_id=session_id, limit=1000)
        assert not more
        return rows

    async def finalize_jobs(self, session_id: UUID) -> int:
        """How many finalize jobs are deferred for it."""
        rows = await self.sql(
            "SELECT count(*) AS n FROM procrastinate_jobs WHERE queueing_lock LIKE '%' || :id AND status = 'todo'",
            id=str(session_id),
        )
        return int(rows[0].n)

    async def frozen(self, session_id: UUID, segments: list[dict[str, Any]] | None = None) -> FrozenPlan:
        """Freeze, which must succeed."""

        async def list_segments() -> list[dict[str, Any]]:
            return segments or []

        plan = await self.freezes.freeze(session_id, 60, list_segments)
        assert isinstance(plan, FrozenPlan)
        return plan
