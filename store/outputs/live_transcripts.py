"""Which process recognizes the speech of which running session, and how far it has come.

A process holds a session for some seconds at a time. Two that hold one for a moment do no harm: the log takes each
utterance once.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text, update

from sessions.texts.timestamps import MILLISECOND
from store.database.database import Database
from store.database.tables import live_transcripts

HELD_SECONDS = 12.0
_RENEWED_SECONDS = 4.0  # the age at which it is renewed
ELSEWHERE_SECONDS = 6.0  # so long a session is left to the host that records it, which sees more than others

_IS_LIVE = """
    s.transcription_mode = 'live' AND s.status IN ('running', 'paused') AND s.started_at IS NOT NULL
      AND s.kind = 'voice' AND s.quality <> 'mock'
"""
_IS_FREE = """
    coalesce(h.held_until, s.started_at) < statement_timestamp() - make_interval(secs => :elsewhere_seconds)
      OR (h.owner IS NULL OR h.held_until < statement_timestamp()) AND EXISTS (
          SELECT FROM runs r WHERE r.session_id = s.id AND r.epoch = s.epoch AND r.host = :host)
"""
TO_BE_FOLLOWED = f"""
    FROM sessions s LEFT JOIN live_transcripts h ON h.session_id = s.id WHERE {_IS_LIVE} AND ({_IS_FREE})
"""
"""Sessions that a process of `:host` would take, as a part of a query."""

_HOLD = text(
    f"""
    INSERT INTO live_transcripts AS l (session_id, owner, held_until)
    SELECT s.id, :owner, statement_timestamp() + make_interval(secs => :held_seconds)
    FROM sessions s LEFT JOIN live_transcripts h ON h.session_id = s.id
    WHERE {_IS_LIVE}
      AND (h.owner = :owner AND h.held_until < statement_timestamp() + make_interval(secs => :renewed_seconds)
        OR {_IS_FREE})
    ORDER BY s.id LIMIT :most
    ON CONFLICT (session_id) DO UPDATE SET owner = excluded.owner, held_until = excluded.held_until
    WHERE l.owner = excluded.owner OR l.held_until < statement_timestamp()
    """
)
_HELD = text(
    """
    SELECT s.id, s.organization_id, s.started_at, s.transcription_language AS language, l.heard_ms,
           statement_timestamp() AS now
    FROM live_transcripts l JOIN sessions s ON s.id = l.session_id
    WHERE l.owner = :owner AND l.held_until > statement_timestamp()
      AND s.transcription_mode = 'live' AND s.status IN ('running', 'paused')
    ORDER BY s.id
    """
)


@dataclass(frozen=True, slots=True)
class HeldSession:
    """A running session that is ours to follow.

    Attributes:
        language: what is spoken, as its creator said; None: unknown.
        heard_ms: everything that began before this has been recognized, or could not be.
        elapsed_ms: since `started_at`, as of the look.
    """

    id: UUID
    organization_id: UUID
    started_at: datetime
    language: str | None
    heard_ms: int
    elapsed_ms: int


@dataclass(frozen=True, slots=True)
class HeardSoFar:
    """How far a session was recognized while it ran, and what the engine said of its last words."""

    heard_ms: int
    language: str | None = None
    model: str | None = None


class LiveTranscripts:
    """Shares running sessions out among speech processes."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def hold(self, owner: UUID, host: str, most: int) -> list[HeldSession]:
        """Take sessions that nobody follows, keep those that `owner` has, and return them.

        Args:
            host: whose recorders' sessions come first, as their runs call it.
            most: sessions taken or renewed by one call.
        """
        parameters = {
            "owner": owner,
            "host": host,
            "most": most,
            "held_seconds": HELD_SECONDS,
            "renewed_seconds": HELD_SECONDS - _RENEWED_SECONDS,
            "elsewhere_seconds": ELSEWHERE_SECONDS,
        }
        async with self._db.begin() as conn:
            await conn.execute(_HOLD, parameters)
            return [_held(row) for row in await conn.execute(_HELD, {"owner": owner})]

    async def note(self, session_id: UUID, owner: UUID, heard: HeardSoFar) -> None:
        """Note how far `owner` has come, unless another one follows the session."""
        statement = (
            update(live_transcripts)
            .where(live_transcripts.c.session_id == session_id, live_transcripts.c.owner == owner)
            .values(heard_ms=heard.heard_ms, language=heard.language, model=heard.model)
        )
        async with self._db.begin() as conn:
            await conn.execute(statement)

    async def let_go(self, owner: UUID) -> None:
        """Others may follow what `owner` held."""
        statement = (
            update(live_transcripts)
            .where(live_transcripts.c.owner == owner, live_transcripts.c.held_until > text("statement_timestamp()"))
            .values(held_until=text("statement_timestamp()"))
        )
        async with self._db.begin() as conn:
            await conn.execute(statement)

    async def heard(self, session_id: UUID) -> HeardSoFar:
        """How far a session has come; 0 when nobody followed it."""
        query = select(live_transcripts).where(live_transcripts.c.session_id == session_id)
        async with self._db.begin() as conn:
            row = (await conn.execute(query)).one_or_none()
        return HeardSoFar(0) if row is None else HeardSoFar(row.heard_ms, row.language, row.model)


def _held(row: Row[Any]) -> HeldSession:
    return HeldSession(
        id=row.id,
        organization_id=row.organization_id,
        started_at=row.started_at,
        language=row.language,
        heard_ms=row.heard_ms,
        elapsed_ms=max((row.now - row.started_at) // MILLISECOND, 0),
    )
