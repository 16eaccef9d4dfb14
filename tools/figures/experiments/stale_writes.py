"""A run that was replaced, and a stranger, try every write that the store has for workers; nothing may change."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from pydantic import SecretStr

from parley.servers.embedded_postgres import EmbeddedPostgres
from sessions.lifecycle.stop import Stop
from store.database.server.schema import migrate
from store.outputs.freeze import FrozenPlan
from store.runs.fence import Fence, Replaced
from store.runs.run_segments import RunSegments
from store.sessions.log.session_log import NewLogEntry, SessionLog
from tests.support.running.engine import PRODUCT, Engine
from tools.figures.figure import Figure, Goal, Options

_ATTEMPTS = 1200
_TABLES = ("sessions", "runs", "session_events", "log_entries", "worker_tokens", "recordings", "usage_events")

_UNDELIVERED = NewLogEntry(kind="message", role="user", text="on its way", source="api", delivered=False)

Write = Callable[[Engine, Fence], Awaitable[Any]]


async def _beat(engine: Engine, fence: Fence) -> None:
    await engine.beat(fence, frames=10**6, audio_ms=10**7)


async def _lose_room(engine: Engine, fence: Fence) -> None:
    await engine.beat(fence, joined=False)


async def _log(engine: Engine, fence: Fence) -> None:
    now = datetime.now(UTC)
    entry = NewLogEntry(kind="message", role="user", text="from the past", source="lk.chat")
    await SessionLog(engine.db).append_heard(fence, [entry], now - timedelta(seconds=1), now)


async def _commit(engine: Engine, fence: Fence) -> None:
    await engine.freezes.commit(fence.session_id, fence.epoch, PRODUCT)


async def _give_up(engine: Engine, fence: Fence) -> None:
    await engine.freezes.commit_without_product(fence.session_id, fence.epoch)


WRITES: dict[str, Write] = {
    "mark_running": lambda engine, fence: engine.runs.mark_running(fence),
    "beat": _beat,
    "lose_room": _lose_room,
    "enter_ending": lambda engine, fence: engine.runs.enter_ending(fence, Stop.ended("end.room_closed")),
    "save_token": lambda engine, fence: engine.runs.save_token(
        fence, SecretStr("old"), datetime.now(UTC) + timedelta(days=1)
    ),
    "delivered": lambda engine, fence: SessionLog(engine.db).delivered(fence, [1, 2]),
    "append_heard": _log,
}
# A replaced run seals its own segments, and the jobs that finalize carry no owner.
OF_STRANGERS: dict[str, Write] = {
    "seal": lambda engine, fence: engine.runs.seal(fence, RunSegments()),
}
OF_OLD_EPOCHS: dict[str, Write] = {"commit": _commit, "commit_without_product": _give_up}


async def measure(options: Options) -> list[Figure]:
    """1 for each attempt that changed anything, 0 for each that did not."""
    accepted: list[float] = []
    with EmbeddedPostgres(options.folder / "pg", fsync=False) as url:
        migrate(url)
        async with Engine.open(url) as engine:
            while len(accepted) < (options.n or _ATTEMPTS):
                accepted += await _attempts(engine)
    return [Figure("writes of replaced runs that were accepted", "", Goal("max", 0), tuple(accepted))]


async def _attempts(engine: Engine) -> list[float]:
    """On one session in each of the states that a run can find it in."""
    old = await engine.running()
    session_id = old.session_id
    await SessionLog(engine.db).append(session_id, [_UNDELIVERED, _UNDELIVERED])
    await engine.claims.release(old.owner, lost=True)
    now = await engine.takeover(session_id, may_judge_stale=False)
    tried = (
        (old, WRITES | OF_OLD_EPOCHS),
        (Fence(session_id, now.epoch, uuid4()), WRITES | OF_STRANGERS),
        (Fence(session_id, now.epoch + 1, uuid4()), WRITES | OF_STRANGERS | OF_OLD_EPOCHS),
    )
    accepted: list[float] = []
    async for _ in _states(engine, now):
        for fence, writes in tried:
            for name, write in writes.items():
                accepted.append(await _changes(engine, fence, name, write))
    return accepted


async def _states(engine: Engine, now: Fence) -> AsyncIterator[None]:
    """Running, paused, ending with a frozen plan, ended."""
    yield
    await engine.sql("UPDATE sessions SET status = 'paused', paused_at = now() WHERE id = :id", id=now.session_id)
    yield
    await engine.runs.enter_ending(now, Stop.ended("end.requested"))
    plan = await engine.freezes.freeze(now.session_id, 0, _no_segments)
    assert isinstance(plan, FrozenPlan)
    yield
    assert await engine.freezes.commit(now.session_id, now.epoch, PRODUCT)
    yield


async def _changes(engine: Engine, fence: Fence, name: str, write: Write) -> float:
    before = await _rows(engine, fence.session_id)
    with contextlib.suppress(Replaced):
        await write(engine, fence)
    changed = await _rows(engine, fence.session_id) != before
    if changed:
        print(f"accepted: {name} under {fence}", flush=True)
    return float(changed)


async def _rows(engine: Engine, session_id: UUID) -> list[Any]:
    """All that the database has of the session."""
    keys = {"sessions": "id"}
    tables = [
        f"SELECT '{table}', to_jsonb(t) FROM {table} t WHERE t.{keys.get(table, 'session_id')} = :id"
        for table in _TABLES
    ]
    return sorted(await engine.sql(" UNION ALL ".join(tables), id=session_id), key=repr)


async def _no_segments() -> Sequence[dict[str, Any]]:
    return []
