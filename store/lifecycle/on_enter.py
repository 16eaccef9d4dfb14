"""What SQL does when a session enters a state, besides its own row (for that see `sessions.lifecycle.on_enter`)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.lifecycle.lifecycle import SETTLED, Status
from store.database.notify.channels import CLAIM_CHANNEL, notify
from store.database.tables import worker_tokens
from store.jobs.deferring import defer_finalize
from store.lifecycle import events
from store.lifecycle.open_transcript import open_transcript
from store.lifecycle.pauses import begin_pause, end_pause


@dataclass(frozen=True, slots=True)
class Entry:
    """A session whose row is in the new state already: the state before, and the moment of the transition."""

    session_id: UUID
    epoch: int
    before: Status
    at: datetime


Effect = Callable[[AsyncConnection, Entry], Awaitable[None]]


async def _wake_claimers(conn: AsyncConnection, _: Entry) -> None:
    await notify(conn, CLAIM_CHANNEL)


async def _begin_pause(conn: AsyncConnection, entry: Entry) -> None:
    await begin_pause(conn, entry.session_id, entry.at)


async def _end_pause(conn: AsyncConnection, entry: Entry) -> None:
    if entry.before is Status.PAUSED:
        await end_pause(conn, entry.session_id, entry.at)


async def _erase_tokens(conn: AsyncConnection, entry: Entry) -> None:
    if entry.before not in SETTLED:  # else they were erased before
        await conn.execute(delete(worker_tokens).where(worker_tokens.c.session_id == entry.session_id))


async def _finalize(conn: AsyncConnection, entry: Entry) -> None:
    await defer_finalize(conn, entry.session_id)


async def _close_transcript(conn: AsyncConnection, entry: Entry) -> None:
    if not await open_transcript(conn, entry.session_id):
        await events.append(conn, entry.session_id, "transcript.none", epoch=entry.epoch, at=entry.at)


EFFECTS: dict[Status, tuple[Effect, ...]] = {
    Status.CREATED: (),
    Status.QUEUED: (_wake_claimers,),
    Status.STARTING: (),
    Status.RUNNING: (_end_pause,),
    Status.PAUSED: (_begin_pause,),
    Status.ENDING: (_erase_tokens, _finalize),
    Status.ENDED: (_erase_tokens, _close_transcript),
    Status.FAILED: (_erase_tokens, _close_transcript),
    Status.CANCELED: (_erase_tokens, _close_transcript),
}
