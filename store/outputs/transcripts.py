"""Transcripts: the session's log, read as segments, and the state of the job that closes each of them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.lifecycle.lifecycle import TERMINAL
from sessions.session import Session
from sessions.texts.redaction import redact
from sessions.texts.transcript import Transcript, TranscriptHead, TranscriptSegment, TranscriptState
from store.database.database import Database
from store.database.tables import transcripts
from store.lifecycle import events
from store.lifecycle.leftovers import mark_leftovers
from store.lifecycle.locked_session import lock_session
from store.lifecycle.session_rows import read_session
from store.outputs.summaries import has_summary, request_summary
from store.outputs.transcript_digest import transcript_digest
from store.outputs.transcript_pages import transcript_pages
from store.outputs.transcript_versions import read_version

_ATTEMPT = text(
    """
    UPDATE transcripts SET attempts = attempts + 1, attempted_at = statement_timestamp()
    WHERE session_id = :id AND state = 'pending'
    RETURNING attempts, created_at < statement_timestamp() - make_interval(secs => :deadline_seconds) AS late
    """
)


@dataclass(frozen=True, slots=True)
class TranscriptWork:
    """A transcript that is to be closed.

    Attributes:
        attempts: how many there have been, with this one.
        late: its deadline has passed, so it is closed without speech.
    """

    session: Session
    attempts: int
    late: bool


@dataclass(frozen=True, slots=True)
class Closing:
    """How a transcript was closed.

    Attributes:
        engine: what recognized speech; None: no engine did, or there was none to recognize.
        code: why speech is missing, or some of it, with `message`.
    """

    engine: str | None = None
    model: str | None = None
    language: str | None = None
    code: str | None = None
    message: str | None = None


class Transcripts:
    """Reads transcripts, and keeps the state of the jobs that close them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def head(self, session: Session, version: int | None = None) -> TranscriptHead | None:
        """What is known of the newest version, or of this one; None when there is no such one.

        The caller has checked that the session may be read.
        """
        async with self._db.begin() as conn:
            made = None if version == 1 else await read_version(conn, session.id, version)
            if made is not None:
                engine, model, language = made.engine, made.model, made.language
                return TranscriptHead(
                    state="available", engine=engine, model=model, language=language, version=made.version
                )
            return None if version not in (None, 1) else await _first(conn, session)

    def pages(self, session: Session, head: TranscriptHead) -> AsyncIterator[list[TranscriptSegment]]:
        """The segments that belong to the head; see `transcript_pages`."""
        return transcript_pages(self._db, session, head)

    async def read(self, session: Session) -> Transcript:
        """The newest transcript as it is now, for workers: an API has no memory for it."""
        async with self._db.begin() as conn:
            sha256 = await transcript_digest(conn, session.id)
        head = await self.head(session)
        assert head is not None
        known = {field.name: getattr(head, field.name) for field in fields(head)}
        return Transcript(**known, segments=await self.segments(session, head), sha256=sha256)

    async def segments(self, session: Session, head: TranscriptHead) -> tuple[TranscriptSegment, ...]:
        """All segments that belong to the head, for workers."""
        return tuple([segment async for page in self.pages(session, head) for segment in page])

    async def object_key(self, session_id: UUID) -> str | None:
        """Where the newest transcript lies as `conversation.json`; None: nowhere yet."""
        query = select(transcripts.c.object_key).where(transcripts.c.session_id == session_id)
        async with self._db.begin() as conn:
            found: str | None = (await conn.execute(query)).scalar_one_or_none()
        return found

    async def begin(self, session_id: UUID, deadline_seconds: float) -> TranscriptWork | None:
        """Count an attempt; None when there is no transcript, or it is closed."""
        async with self._db.begin() as conn:
            parameters = {"id": session_id, "deadline_seconds": deadline_seconds}
            row = (await conn.execute(_ATTEMPT, parameters)).one_or_none()
            if row is None:
                return None
            return TranscriptWork(await read_session(conn, session_id), row.attempts, row.late)

    async def note_failure(self, session_id: UUID, code: str, message: str) -> None:
        """Note why an attempt failed; another one follows."""
        await self._update(session_id, closing=False, values={"code": code, "message": redact(message)})

    async def close(self, session_id: UUID, closing: Closing, object_key: str, *, summarize: bool = False) -> bool:
        """Note how it was closed; False when the session is gone, or it was closed before.

        Args:
            summarize: ask for a summary, too; one that was asked for before is made in any case.
        """
        return await self._update(
            session_id,
            closing=True,
            summarize=summarize,
            values={
                "state": "available" if closing.code is None else "incomplete",
                "finished_at": func.statement_timestamp(),
                "engine": closing.engine,
                "model": closing.model,
                "language": closing.language,
                "code": closing.code,
                "message": None if closing.message is None else redact(closing.message),
                "object_key": object_key,
            },
        )

    async def _update(
        self, session_id: UUID, *, closing: bool, values: dict[str, Any], summarize: bool = False
    ) -> bool:
        statement = (
            update(transcripts)
            .where(transcripts.c.session_id == session_id, transcripts.c.state == "pending")
            .values(values)
        )
        async with self._db.begin() as conn:
            locked = await lock_session(conn, session_id) if closing else None
            written = (await conn.execute(statement)).rowcount == 1
            if written and locked is not None:
                type_ = f"transcript.{values['state']}"
                await events.append(conn, session_id, type_, epoch=locked.epoch, code=values["code"])
                if summarize or await has_summary(conn, session_id):
                    await request_summary(conn, session_id, again=False)
                await mark_leftovers(conn, session_id)  # nobody hears the segments any more
            return written


async def _first(conn: AsyncConnection, session: Session) -> TranscriptHead:
    """Of everything final in the log."""
    row = (await conn.execute(select(transcripts).where(transcripts.c.session_id == session.id))).one_or_none()
    if row is None:
        return TranscriptHead(state=_state_without_row(session))
    return TranscriptHead(
        state=row.state,
        engine=row.engine,
        model=row.model,
        language=row.language,
        code=row.code,
        message=row.message,
    )


def _state_without_row(session: Session) -> TranscriptState:
    if session.status in TERMINAL and session.started_at is None:
        return "none"
    return "open" if session.status not in TERMINAL else "available"
