"""`GET /v1/sessions/{id}/receipt`: why a session costs what it costs."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from aiohttp import web

from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.call import Call
from control_api.usage.receipts.models import AbsenceSum, Billed, GapSum, Heard, Receipt, RecordingLength, SessionClock
from sessions.billing.checking.bill_check import BillCheck
from sessions.billing.crediting import covered_ms
from sessions.codes import NO_MEDIA, lookup
from sessions.ids import format_id
from sessions.session import Session
from sessions.texts.timestamps import format_timestamp
from store.sessions.queries import Recording
from store.usage.audit import LedgerAudit


async def get_receipt(call: Call) -> web.StreamResponse:
    """Clock, recording, gaps and bill of one session."""
    queries = call.dependencies.sessions.queries
    session = await queries.get(call.organization_id, call.session_id)
    recording = await queries.recording(call.organization_id, call.session_id, names=call.reads_content)
    bill = await LedgerAudit(call.dependencies.bulk_db).check(call.organization_id, call.session_id)
    return json_answer(_receipt(session, recording, bill))


def _receipt(session: Session, recording: Recording, bill: BillCheck) -> Receipt:
    wrong = bill.imbalances()
    return Receipt(
        object="receipt",
        session_id=format_id("sess", session.id),
        provisional=session.usage.provisional,
        clock=_clock(session),
        recording=RecordingLength(state=recording.state, milliseconds=recording.duration_ms),
        heard=[_heard(track, recording.sample_rate or 1) for track in recording.tracks or []],
        gaps=_gaps(recording.gaps or [], bill),
        absences=AbsenceSum(
            milliseconds=covered_ms((absence["start_ms"], absence["end_ms"]) for absence in recording.absences or []),
            credited_ms=bill.credited_ms[NO_MEDIA],
        ),
        billed=_billed(session, bill),
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
        participant_name=track.get("participant_name"),
        name=track["name"],
        side=track["side"],
        milliseconds=track["samples"] * 1000 // sample_rate,
    )


def _gaps(gaps: Sequence[dict[str, Any]], bill: BillCheck) -> list[GapSum]:
    codes = sorted({gap["code"] for gap in gaps} | {code for code in bill.credited_ms if code != NO_MEDIA})
    return [
        GapSum(
            code=code,
            fault=lookup(code).fault,
            milliseconds=covered_ms((gap["start_ms"], gap["end_ms"]) for gap in gaps if gap["code"] == code),
            credited_ms=bill.credited_ms[code],
        )
        for code in codes
    ]


def _billed(session: Session, bill: BillCheck) -> Billed:
    return Billed(
        counted_ms=bill.counted_ms,
        credited_ms=bill.counted_ms - bill.milliseconds,
        milliseconds=bill.milliseconds,
        multiplier=format(session.multiplier, ".3f"),
        credits=format(bill.credits, ".3f"),
    )
