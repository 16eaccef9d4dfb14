"""Taking sessions that are locked: the only place that raises an epoch."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.lifecycle.blame import Place, place
from sessions.lifecycle.lifecycle import Event, Status, advance
from sessions.lifecycle.on_enter import ON_ENTER
from sessions.lifecycle.stop import Stop
from store.database.notify.channels import SESSION_CHANNEL, notify
from store.lifecycle import events
from store.lifecycle.locked_session import lock_held_session
from store.lifecycle.transitions import stop_session
from store.runs.claimer import Claimer
from store.usage import ledger

_RECORDING = ON_ENTER[Status.STARTING].recording
_CLOSE_PREVIOUS = text(
    """
    UPDATE runs r SET released_at = coalesce(r.released_at, statement_timestamp()), lost = taken.lost
    FROM unnest(CAST(:ids AS uuid[]), CAST(:lost AS boolean[])) AS taken (id, lost) JOIN sessions s USING (id)
    WHERE r.session_id = s.id AND r.epoch = s.epoch
    """
)
_RAISE_EPOCH = text(
    f"""
    WITH taken AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:targets AS text[])) AS taken (id, target)
    ), claimed AS (
        UPDATE sessions s
        SET epoch = s.epoch + 1, status = taken.target, version = s.version + 1,
            updated_at = statement_timestamp(),
            recording_state = CASE WHEN s.recording_state = 'none' THEN '{_RECORDING}' ELSE s.recording_state END
        FROM taken WHERE s.id = taken.id RETURNING s.id, s.epoch
    ), run AS (
        INSERT INTO runs (session_id, epoch, owner, host, alone, claimed_at, beat_at)
        SELECT id, epoch, :owner, :host, :alone, statement_timestamp(), statement_timestamp() FROM claimed
    )
    SELECT id, epoch FROM claimed
    """
)


def within_joins(candidates: Sequence[Row[Any]], claimer: Claimer) -> list[Row[Any]]:
    """Without the queued sessions of which the claimer would join too many of one organization at the same time."""
    left: dict[UUID, int] = {}
    admitted = []
    for row in candidates:
        if row.status == Status.QUEUED:
            places = left.setdefault(row.organization_id, claimer.joins_left(row.organization_id))
            if places < 1:
                continue
            left[row.organization_id] = places - 1
        admitted.append(row)
    return admitted


async def take(conn: AsyncConnection, candidates: Sequence[Row[Any]], claimer: Claimer) -> list[UUID]:
    """Raise the epoch of the locked candidates; fail those that have taken too many processes down."""
    places = [place(row.blamed, row.blamed_alone) for row in candidates]
    hopeless = [row for row, where in zip(candidates, places, strict=True) if where is Place.NOWHERE]
    dangerous = [row for row, where in zip(candidates, places, strict=True) if where is Place.ALONE]
    taken = dangerous[:1] or [row for row in candidates if row not in hopeless]
    closing = [*hopeless, *taken]
    if not closing:
        return []
    ids = [row.id for row in closing]
    await conn.execute(_CLOSE_PREVIOUS, {"ids": ids, "lost": [row.lost for row in closing]})
    await ledger.settle(conn, ids)
    for row in hopeless:
        await stop_session(conn, await lock_held_session(conn, row.id), Stop.failed("worker.crash_loop"))
    if not taken:
        return []
    raised = await conn.execute(
        _RAISE_EPOCH,
        {
            "ids": [row.id for row in taken],
            "targets": [str(advance(Status(row.status), Event.CLAIM)) for row in taken],
            "owner": claimer.owner,
            "host": claimer.host,
            "alone": claimer.quarantine and len(taken) == 1,
        },
    )
    epochs = {row.id: row.epoch for row in raised}
    for row in taken:
        first = row.status == Status.QUEUED
        await events.append(
            conn,
            row.id,
            "session.starting" if first else "session.retrying",
            epoch=epochs[row.id],
            status_from=row.status,
            status_to=advance(Status(row.status), Event.CLAIM),
            code="worker.lost" if row.lost else None,
        )
        await notify(conn, SESSION_CHANNEL, str(row.id))
    return [row.id for row in taken]
