"""Every change of a session's status: one lifecycle event, applied to one locked row.

The API's commands, a worker's stops, the sweeper and the commit of a product all come through here, so that they all
bump the version, write the entry of the new state (`sessions.lifecycle`), run its effects (`store.lifecycle.on_enter`),
write the event and notify in the same way.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.codes import lookup
from sessions.lifecycle.lifecycle import STOPS, TERMINAL, Event, Status, advance, commit_event
from sessions.lifecycle.on_enter import FIRST_ONLY, ON_ENTER, Stamp
from sessions.lifecycle.stop import Stop
from sessions.texts.redaction import redact
from store.database.notify.channels import SESSION_CHANNEL, notify
from store.database.tables import runs, sessions
from store.lifecycle import events
from store.lifecycle.locked_session import LockedSession
from store.lifecycle.on_enter import EFFECTS, Entry

# The UPDATE's own instant. The row is locked by then, and every stamp of a transition gets the same value.
_NOW: ColumnElement[Any] = func.statement_timestamp()
# A beat may bill past a pause that is stamped but not committed yet; as much is not billed after the resume.
_OVERBILLED: ColumnElement[Any] = (
    select(func.greatest(func.max(runs.c.billed_at) - sessions.c.paused_at, timedelta(0)))
    .where(runs.c.session_id == sessions.c.id)
    .scalar_subquery()
)


async def apply(conn: AsyncConnection, locked: LockedSession, event: Event) -> None:
    """Take the locked session to the state that the lifecycle table names for an event that needs no reason.

    Raises:
        ParleyError: `transition.invalid`; nothing is written.
    """
    assert event not in STOPS.values(), "a stop has a reason"
    await _move(conn, locked, event, None)


async def stop_session(conn: AsyncConnection, locked: LockedSession, stop: Stop) -> None:
    """Stop the locked session: it is `ending` now if it has a recording, else terminal.

    Args:
        stop: its message is redacted here; its `at` is never later than now, nor before `started_at`.

    Raises:
        ParleyError: `transition.invalid`; nothing is written.
        KeyError: the stop's code is not registered.
    """
    await _move(conn, locked, STOPS[stop.outcome], stop)


async def overrule(conn: AsyncConnection, locked: LockedSession, stop: Stop) -> None:
    """Take the locked session from `ending` to another outcome than it was to have.

    Raises:
        ParleyError: `transition.invalid`; nothing is written.
        KeyError: the stop's code is not registered.
    """
    await _move(conn, locked, commit_event(stop.outcome), stop)


async def _move(conn: AsyncConnection, locked: LockedSession, event: Event, stop: Stop | None) -> None:
    target = advance(locked.status, event)
    if target is Status.ENDING and locked.kind == "text":
        assert stop is not None
        target = Status(stop.outcome)  # nothing to drain, nothing to finalize
    changes: dict[str, Any] = {"status": str(target), "version": sessions.c.version + 1, "updated_at": _NOW}
    changes |= _entered(locked, target, stop)
    if stop is not None:
        changes |= _stopped(target, stop)
    changed = update(sessions).where(sessions.c.id == locked.id).values(changes).returning(sessions.c.updated_at)
    moment = (await conn.execute(changed)).scalar_one()
    for effect in EFFECTS[target]:
        await effect(conn, Entry(locked.id, locked.epoch, locked.status, moment))
    await events.append(
        conn,
        locked.id,
        "session.resumed" if event is Event.RESUME else f"session.{target}",
        epoch=locked.epoch,
        status_from=locked.status,
        status_to=target,
        code=locked.end_reason if stop is None else stop.code,
        at=moment,
    )
    await notify(conn, SESSION_CHANNEL, str(locked.id))


def _entered(locked: LockedSession, target: Status, stop: Stop | None) -> dict[str, Any]:
    """The columns that the state's entry names."""
    entry = ON_ENTER[target]
    changes: dict[str, Any] = dict.fromkeys(entry.cleared)
    for stamp in entry.stamps:
        instant = _instant(stamp, locked, stop)
        changes[stamp] = func.coalesce(sessions.c[stamp], instant) if stamp in FIRST_ONLY else instant
    if entry.recording is not None and locked.kind == "voice" and locked.status is not Status.ENDING:
        changes["recording_state"] = entry.recording
    return changes


def _instant(stamp: Stamp, locked: LockedSession, stop: Stop | None) -> ColumnElement[Any]:
    if stamp == "running_since" and locked.status is Status.PAUSED:
        return _NOW + _OVERBILLED
    if stamp == "ending_at":
        at = None if stop is None else stop.at
        stopped = _NOW if at is None else func.least(_NOW, func.greatest(literal(at), sessions.c.started_at))
        return case((sessions.c.started_at.is_not(None), stopped), else_=None)
    return _NOW


def _stopped(target: Status, stop: Stop) -> dict[str, Any]:
    """The columns that tell why it stops."""
    explained = lookup(stop.code)
    changes: dict[str, Any] = {"outcome": target if target in TERMINAL else stop.outcome, "end_reason": stop.code}
    if stop.outcome == "failed":
        changes |= {"error_code": stop.code, "error_message": redact(stop.message or explained.help)}
    return changes
