"""Every change of a session's status: one lifecycle event, applied to one locked row.

The API's commands, a worker's stops, the sweeper and the commit of a product all come through here, so that they all
bump the version, set the stamps, erase the tokens, defer the finalize job, write the event and notify in the same way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, delete, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.codes import lookup
from sessions.lifecycle import SETTLED, TERMINAL, Event, Outcome, Status, advance
from sessions.redaction import redact
from store.database.channels import CLAIM_CHANNEL, SESSION_CHANNEL, notify
from store.database.tables import runs, sessions, worker_tokens
from store.jobs.jobs import defer_finalize
from store.lifecycle import events
from store.lifecycle.open_transcript import open_transcript
from store.lifecycle.pauses import begin_pause, end_pause

# The UPDATE's own instant, after the row is locked: one value for every stamp of a transition.
_NOW: ColumnElement[Any] = func.statement_timestamp()
# A beat may bill past a pause that is stamped but not committed yet; after the resume as much is free.
_OVERBILLED: ColumnElement[Any] = (
    select(func.greatest(func.max(runs.c.billed_at) - sessions.c.paused_at, timedelta(0)))
    .where(runs.c.session_id == sessions.c.id)
    .scalar_subquery()
)
_OUTCOMES: dict[Event, Outcome] = {Event.END: "ended", Event.CANCEL: "canceled", Event.FAIL: "failed"}


@dataclass(frozen=True, slots=True)
class LockedSession:
    """What a transition has to know of the row that its transaction holds."""

    id: UUID
    organization_id: UUID
    kind: str
    status: Status
    epoch: int
    outcome: Outcome | None
    end_reason: str | None

    @property
    def settled(self) -> bool:
        """Whether being asked to end or cancel it changes nothing."""
        return self.status in SETTLED


async def lock_session(
    conn: AsyncConnection, session_id: UUID, *, organization_id: UUID | None = None, skip_locked: bool = False
) -> LockedSession | None:
    """Hold the session's row until the end of the transaction; None when there is none (in that organization)."""
    query = select(
        sessions.c.id,
        sessions.c.organization_id,
        sessions.c.kind,
        sessions.c.status,
        sessions.c.epoch,
        sessions.c.outcome,
        sessions.c.end_reason,
    ).where(sessions.c.id == session_id)
    if organization_id is not None:
        query = query.where(sessions.c.organization_id == organization_id)
    row = (await conn.execute(query.with_for_update(key_share=True, skip_locked=skip_locked))).one_or_none()
    if row is None:
        return None
    return LockedSession(
        row.id, row.organization_id, row.kind, Status(row.status), row.epoch, row.outcome, row.end_reason
    )


async def apply(
    conn: AsyncConnection,
    locked: LockedSession,
    event: Event,
    *,
    code: str | None = None,
    message: str | None = None,
    at: datetime | None = None,
    data: Mapping[str, Any] | None = None,
) -> Status:
    """Take the locked session to the state that the lifecycle table names.

    Args:
        code: why it stops; required for END, CANCEL and FAIL. Becomes `end_reason`, for FAIL also `error_code`.
        message: for FAIL, for humans; redacted here.
        at: the stamp of a stop, when it lies before now (it is never later than now, nor before `started_at`).
        data: goes into the event.

    Returns:
        The new status.

    Raises:
        ParleyError: `transition.invalid`; nothing is written.
        KeyError: `code` is not registered.
    """
    target = advance(locked.status, event)
    if target is Status.ENDING and locked.kind == "text":
        target = Status(_OUTCOMES[event])  # nothing to drain, nothing to finalize
    changes: dict[str, Any] = {"status": str(target), "version": sessions.c.version + 1, "updated_at": _NOW}
    if target in SETTLED:
        changes |= _settling(locked, event, target, code, message, at)
    elif target is Status.QUEUED:
        changes["queued_at"] = _NOW
    elif target is Status.RUNNING:
        changes |= {
            "started_at": func.coalesce(sessions.c.started_at, _NOW),
            "running_since": _NOW + _OVERBILLED if locked.status is Status.PAUSED else _NOW,
            "paused_at": None,
            **_recording(locked, "recording"),
        }
    elif target is Status.PAUSED:
        changes |= {"paused_at": _NOW, **_recording(locked, "paused")}
    if locked.status not in SETTLED and target in SETTLED:
        await conn.execute(delete(worker_tokens).where(worker_tokens.c.session_id == locked.id))
    if target is Status.ENDING:
        await defer_finalize(conn, locked.id)
    elif target in TERMINAL:
        await open_transcript(conn, locked.id)
    changed = update(sessions).where(sessions.c.id == locked.id).values(changes).returning(sessions.c.updated_at)
    moment = (await conn.execute(changed)).scalar_one()
    if target is Status.PAUSED:
        await begin_pause(conn, locked.id, moment)
    elif locked.status is Status.PAUSED and target is Status.RUNNING:
        await end_pause(conn, locked.id, moment)
    await events.append(
        conn,
        locked.id,
        f"session.{target}",
        epoch=locked.epoch,
        status_from=locked.status,
        status_to=target,
        code=code or locked.end_reason,
        data=data,
        at=moment,
    )
    await notify(conn, SESSION_CHANNEL, str(locked.id))
    if target is Status.QUEUED:
        await notify(conn, CLAIM_CHANNEL)
    return target


def _recording(locked: LockedSession, state: str) -> dict[str, Any]:
    """A text session has no recording."""
    return {"recording_state": state} if locked.kind == "voice" else {}


def _settling(
    locked: LockedSession, event: Event, target: Status, code: str | None, message: str | None, at: datetime | None
) -> dict[str, Any]:
    """The columns that change on entering `ending` or a terminal state."""
    changes: dict[str, Any] = {}
    if event in _OUTCOMES:
        assert code is not None
        lookup(code)
        outcome = _OUTCOMES[event] if target is Status.ENDING else target
        changes |= {"outcome": outcome, "end_reason": code}
        if event is Event.FAIL:
            changes |= {"error_code": code, "error_message": redact(message or lookup(code).help)}
        if target is Status.ENDING:
            changes |= {"ending_at": _stamp(at), "recording_state": "finalizing"}
        else:
            changes |= {
                "ending_at": case((sessions.c.started_at.is_not(None), _stamp(at)), else_=None),
                "recording_state": "none",  # it never ran
            }
            changes["recording_state"] = "none"
    elif code is not None:  # the commit without a product overrules the outcome
        changes |= {
            "outcome": target,
            "end_reason": code,
            "error_code": code,
            "error_message": redact(message or lookup(code).help),
        }
    if target in TERMINAL:
        changes["finished_at"] = _NOW
        if target is Status.ENDED:
            changes["ended_at"] = _NOW
        elif target is Status.FAILED:
            changes["failed_at"] = _NOW
    return changes


def _stamp(at: datetime | None) -> ColumnElement[Any]:
    return _NOW if at is None else func.least(_NOW, func.greatest(literal(at), sessions.c.started_at))
