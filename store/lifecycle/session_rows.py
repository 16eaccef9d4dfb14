"""From rows to `sessions.session.Session`: the SELECT that every reader uses, usage over all runs included."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Row, Select, cast, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.billing.usage import Usage
from sessions.lifecycle.lifecycle import TERMINAL, Status
from sessions.session import LiveKitTransport, RecordingOptions, Session, TranscriptionOptions
from store.database.tables import runs, sessions

_totals = (
    select(
        cast(func.coalesce(func.sum(runs.c.billable_ms), 0), BigInteger).label("usage_billable_ms"),
        cast(func.coalesce(func.sum(runs.c.frames), 0), BigInteger).label("usage_frames"),
        cast(func.coalesce(func.sum(runs.c.audio_ms), 0), BigInteger).label("usage_audio_ms"),
        func.max(runs.c.beat_at).filter(runs.c.joined_at.is_not(None)).label("usage_as_of"),
        func.min(runs.c.first_frame_at).label("usage_first_frame_at"),
    )
    .where(runs.c.session_id == sessions.c.id)
    .lateral("totals")
)
_MADE = {"status", "tags", "transport", "recording", "transcription", "first_frame_at", "usage", "participants"}
_SAME_NAME = tuple(field.name for field in fields(Session) if field.name not in _MADE)


def session_select() -> Select[Any]:
    """Every column that `to_session` reads. Add `.where(…)`, `.order_by(…)`, `.limit(…)` on `tables.sessions`."""
    return select(sessions, _totals).join_from(sessions, _totals, true())


async def read_session(conn: AsyncConnection, session_id: UUID) -> Session:
    """The session as this transaction sees it.

    Raises:
        NoResultFound: there is none.
    """
    return to_session((await conn.execute(session_select().where(sessions.c.id == session_id))).one())


def to_session(row: Row[Any]) -> Session:
    """The value of a row of `session_select()`."""
    values: dict[str, Any] = dict(row._mapping)
    return Session(
        **{name: values[name] for name in _SAME_NAME},
        status=Status(values["status"]),
        tags=tuple(values["tags"]),
        transport=_transport(values),
        recording=recording_options(values),
        transcription=TranscriptionOptions(values["transcription_mode"], values["transcription_language"]),
        first_frame_at=values["first_frame_at"] or values["usage_first_frame_at"],
        usage=Usage(
            billable_ms=values["usage_billable_ms"],
            credited_ms=values["credited_ms"],
            provisional=Status(values["status"]) not in TERMINAL,
            frames=values["usage_frames"],
            audio_ms_received=values["usage_audio_ms"],
            as_of=values["usage_as_of"],
        ),
    )


def recording_options(values: Mapping[str, Any]) -> RecordingOptions:
    """The columns of a session that say how it is recorded."""
    return RecordingOptions(values["layout"], values["on_pause"], tuple(values["formats"]), values["track_files"])


def _transport(values: dict[str, Any]) -> LiveKitTransport | None:
    if values["url"] is None:
        return None
    return LiveKitTransport(
        url=values["url"],
        room_name=values["room_name"],
        worker_identity=values["worker_identity"],
        audio_source=values["audio_source"],
        subscribe_to_identity=values["subscribe_to_identity"],
        synthetic_audio_if_no_input=values["synthetic_audio_if_no_input"],
        e2ee=values["e2ee"],
    )
