"""`GET /v1/sessions/{id}/receipt`: why a session costs what it costs."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web

from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.call import Call
from control_api.receipts.models import AbsenceSum, Billed, GapSum, Heard, Receipt, RecordingLength, SessionClock
from sessions.billing.crediting import covered_ms
from sessions.billing.ledger_check import billed_milliseconds, imbalances
from sessions.codes import NO_MEDIA, lookup
from sessions.ids import format_id
from sessions.session import Session
from sessions.timestamps import format_timestamp
from store.sessions.queries import Recording
from store.usage.audit import AuditedRow, AuditedSession, LedgerAudit


async def get_receipt(call: Call) -> web.StreamResponse:
    """Clock, recording, gaps and bill of one session."""
    queries = call.dependencies.sessions.queries
    session = await queries.get(call.organization_id, call.session_id)
    recording = await queries.recording(call.organization_id, call.session_id)
    [audited] = [
        one async for one in LedgerAudit(call.dependencies.db).sessions(call.organization_id, [call.session_id])
    ]
    return json_answer(_receipt(session, recording, audited))


def _receipt(session: Session, recording: Recording, audited: AuditedSession) -> Receipt:
    wrong = imbalances(audited.rows, audited.counter)
    return Receipt(
        object="receipt",
        session_id=format_id("sess", session.id),
        provisional=session.usage.provisional,
        clock=_clock(session),
        recording=RecordingLength(state=recording.state, milliseconds=recording.duration_ms),
        heard=[_heard(track, recording.sample_rate or 1) for track in recording.tracks or []],
        gaps=_gaps(recording.gaps or [], audited.rows),
        absences=AbsenceSum(
            milliseconds=covered_ms((absence["start_ms"], absence["end_ms"]) for absence in recording.absences or []),
            credited_ms=_credited_ms(audited.rows, NO_MEDIA),
        ),
        billed=_billed(session, audited.rows),
        balances=not wrong,
        imbalances=wrong,
    )


def _clock(session: Session) -> SessionClock:
    started_at = session.started_at
    ending_at = None if started_at is None else session.ending_at
    return SessionClock(
        started_at=format_timestamp(started_at),
        ending_at=format_timestamp(ending_at),
        milliseconds=None
        if started_at is None or ending_at is None
        else (ending_at - started_at) // timedelta(milliseconds=1),
    )


def _heard(track: dict[str, Any], sample_rate: int) -> Heard:
    return Heard(
        identity=track["identity"],
        name=track["name"],
        side=track["side"],
        milliseconds=track["samples"] * 1000 // sample_rate,
    )


def _gaps(gaps: Sequence[dict[str, Any]], rows: Sequence[AuditedRow]) -> list[GapSum]:
    codes = sorted({gap["code"] for gap in gaps} | {row.code for row in rows if row.code not in (None, NO_MEDIA)})
    return [
        GapSum(
            code=code,
            fault=lookup(code).fault,
            milliseconds=covered_ms((gap["start_ms"], gap["end_ms"]) for gap in gaps if gap["code"] == code),
            credited_ms=_credited_ms(rows, code),
        )
        for code in codes
    ]


def _credited_ms(rows: Sequence[AuditedRow], code: str) -> int:
    return -billed_milliseconds(row for row in rows if row.code == code)


def _billed(session: Session, rows: Sequence[AuditedRow]) -> Billed:
    counted_ms = billed_milliseconds(row for row in rows if row.kind != "credit")
    milliseconds = billed_milliseconds(rows)
    return Billed(
        counted_ms=counted_ms,
        credited_ms=counted_ms - milliseconds,
        milliseconds=milliseconds,
        multiplier=format(session.multiplier, ".3f"),
        credits=format(sum((row.credits for row in rows), Decimal(0)), ".3f"),
    )
