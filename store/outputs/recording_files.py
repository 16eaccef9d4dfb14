"""The files of a recording besides `conversation.wav`: the same in other forms, and one per participant.

A row says what is wanted, and then where it is. What a session asked for is wanted from its commit on, the rest when
somebody asks for it. A job makes the files; the session's end waits for none of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, TextClause, literal, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.audio_formats import AUDIO_FORMATS, AudioFormat
from store.database.database import Database
from store.database.tables import recording_files, recordings, sessions
from store.jobs.deferring import defer_make_files
from store.lifecycle.leftovers import mark_leftovers
from store.lifecycle.locked_session import lock_session

MIX = ""
"""The identity of everybody together; no participant has it."""

FileState = Literal["pending", "available", "incomplete", "failed"]
"""An `incomplete` file can be fetched, and lacks some of what the recording has of that participant."""

MadeState = Literal["available", "incomplete"]

_MOST_TRACKS = 8  # made in one pass over the segments; each takes the session's length on the disk meanwhile

_OPEN = text(
    """
    WITH wanted AS (
        SELECT s.id, CASE WHEN r.duration_ms > 0 THEN s.formats ELSE '{}' END AS formats, s.track_files,
            r.tracks AS heard
        FROM sessions s JOIN recordings r ON r.session_id = s.id WHERE s.id = :id
    ), identities AS (
        SELECT '' AS identity UNION
        SELECT track->>'identity' FROM wanted, jsonb_array_elements(heard) AS track WHERE track_files
    ), forms AS (
        SELECT unnest(formats) AS format FROM wanted UNION SELECT 'wav' FROM wanted WHERE track_files
    )
    INSERT INTO recording_files (session_id, identity, format, state, requested_at)
    SELECT :id, identity, format, 'pending', statement_timestamp() FROM identities, forms
    WHERE (identity, format) <> ('', 'wav')
    ON CONFLICT DO NOTHING
    """
)
# A participant's file is made from its WAV file; that one is made of segments, which are gone when it is settled. No
# other form can be empty, or is worth being made of less than a millisecond.
_WANT = text(
    """
    INSERT INTO recording_files (session_id, identity, format, state, requested_at)
    SELECT session_id, :identity, :format, 'pending', statement_timestamp() FROM recordings
    WHERE session_id = :id AND duration_ms > 0 AND (:identity = '' OR EXISTS (
        SELECT FROM recording_files
        WHERE session_id = :id AND identity = :identity AND format = 'wav' AND state <> 'failed'
    ))
    ON CONFLICT (session_id, identity, format) DO UPDATE
        SET state = 'pending', requested_at = excluded.requested_at, attempts = 0, attempted_at = NULL
        WHERE recording_files.state = 'failed'
    """
)


def _take(condition: str, most: int) -> TextClause:
    """Those tried least often come first, so that one that can't be made is in nobody's way."""
    return text(
        f"""
        UPDATE recording_files f SET attempts = attempts + 1, attempted_at = statement_timestamp()
        WHERE session_id = :id AND (identity, format) IN (
            SELECT identity, format FROM recording_files p WHERE session_id = :id AND state = 'pending' AND {condition}
            ORDER BY attempts, identity, format LIMIT {most}
        ) RETURNING f.*
        """
    )


_TAKE_TRACKS = _take("format = 'wav'", _MOST_TRACKS)
_TAKE_OTHER = _take(
    """
    format <> 'wav' AND (identity = '' OR EXISTS (
        SELECT FROM recording_files w
        WHERE w.session_id = p.session_id AND w.identity = p.identity AND w.format = 'wav' AND w.object_key IS NOT NULL
    ))
    """,
    1,
)


# A participant's other forms have nothing to be made from any more, whoever gave the WAV file up, and whenever.
_GIVE_UP_OTHER = text(
    """
    UPDATE recording_files f SET state = 'failed' WHERE session_id = :id AND state = 'pending' AND format <> 'wav'
    AND EXISTS (
        SELECT FROM recording_files w
        WHERE w.session_id = f.session_id AND w.identity = f.identity AND w.format = 'wav' AND w.state = 'failed'
    )
    """
)


@dataclass(frozen=True, slots=True)
class RecordingFile:
    """One file, made or to be made.

    Attributes:
        identity: the participant who is heard in it; `MIX`: everybody.
        requested_at: when it was asked for, the last time.
        attempts: how often its making was begun.
        object_key: where it is, with digest and size; None until it is `available` or `incomplete`.
    """

    identity: str
    format: AudioFormat
    state: FileState
    requested_at: datetime
    attempts: int
    object_key: str | None
    sha256: str | None
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Source:
    """The WAV file that another form is made from, and is as whole as."""

    object_key: str
    state: MadeState


class RecordingFiles:
    """Says which files there are, which are wanted, and how it went."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of(self, session_id: UUID) -> list[RecordingFile]:
        """All of a session: the mix before the participants, forms in the order of `AUDIO_FORMATS`."""
        query = select(recording_files).where(recording_files.c.session_id == session_id)
        async with self._db.begin() as conn:
            files = [_file(row) for row in await conn.execute(query)]
        return sorted(files, key=lambda file: (file.identity, AUDIO_FORMATS.index(file.format)))

    async def request(self, session_id: UUID, identity: str, form: AudioFormat) -> RecordingFile | None:
        """The file, whose making begins now if it was not wanted before, or failed.

        Returns:
            None when there can't be one: the session is gone, has no file of that participant, or is empty. One that
            is `failed` can't be made any more.
        """
        async with self._db.begin() as conn:
            found = await _read(conn, session_id, identity, form)
            if form == "wav" or (found is not None and found.state != "failed"):
                return found
            wanted = {"id": session_id, "identity": identity, "format": form}
            if (await conn.execute(_WANT, wanted)).rowcount:
                await defer_make_files(conn, session_id)
            return await _read(conn, session_id, identity, form)

    async def take_tracks(self, session_id: UUID) -> list[RecordingFile]:
        """The participants' WAV files that are to be made next, in one pass; their attempt is counted."""
        return await self._take(_TAKE_TRACKS, session_id)

    async def take(self, session_id: UUID) -> RecordingFile | None:
        """The next file that is to be made from a WAV file; its attempt is counted.

        Those whose WAV file was given up are given up, too.
        """
        async with self._db.begin() as conn:
            await conn.execute(_GIVE_UP_OTHER, {"id": session_id})
        return next(iter(await self._take(_TAKE_OTHER, session_id)), None)

    async def source_of(self, session_id: UUID, file: RecordingFile) -> Source | None:
        """What a file in another form is made from; None: the session is gone."""
        mix = select(recordings.c.object_key, literal("available").label("state"))
        track = select(recording_files.c.object_key, recording_files.c.state)
        if file.identity == MIX:
            query = mix.where(recordings.c.session_id == session_id)
        else:
            query = track.where(*_one(session_id, file.identity, "wav"))
        async with self._db.begin() as conn:
            row = (await conn.execute(query)).one_or_none()
        return None if row is None or row.object_key is None else Source(row.object_key, row.state)

    async def title_and_start(self, session_id: UUID) -> tuple[str | None, datetime | None]:
        """What the session is called, and when it began; both None when it is gone."""
        query = select(sessions.c.title, sessions.c.started_at).where(sessions.c.id == session_id)
        async with self._db.begin() as conn:
            row = (await conn.execute(query)).one_or_none()
        return (None, None) if row is None else (row.title, row.started_at)

    async def finish(
        self,
        session_id: UUID,
        file: RecordingFile,
        *,
        state: MadeState = "available",
        object_key: str,
        sha256: str,
        size_bytes: int,
    ) -> bool:
        """Note that the file is stored, and how whole; False when somebody else was faster, or the session is gone."""
        made = {"state": state, "object_key": object_key, "sha256": sha256, "size_bytes": size_bytes}
        return await self._settle(session_id, file, made)

    async def fail(self, session_id: UUID, file: RecordingFile) -> bool:
        """Give a file up; returns as `finish`."""
        return await self._settle(session_id, file, {"state": "failed"})

    async def _take(self, statement: TextClause, session_id: UUID) -> list[RecordingFile]:
        async with self._db.begin() as conn:
            return [_file(row) for row in await conn.execute(statement, {"id": session_id})]

    async def _settle(self, session_id: UUID, file: RecordingFile, values: dict[str, Any]) -> bool:
        statement = update(recording_files).where(*_one(session_id, file.identity, file.format)).values(values)
        async with self._db.begin() as conn:
            if await lock_session(conn, session_id) is None:
                return False
            settled = (await conn.execute(statement.where(recording_files.c.state == "pending"))).rowcount == 1
            if settled:
                await mark_leftovers(conn, session_id)  # it may have been the last one who read the segments
            return settled


async def open_files(conn: AsyncConnection, session_id: UUID) -> None:
    """Note the files that a session asked for, whose recording is committed in this transaction; defer their job."""
    if (await conn.execute(_OPEN, {"id": session_id})).rowcount:
        await defer_make_files(conn, session_id)


async def _read(conn: AsyncConnection, session_id: UUID, identity: str, form: str) -> RecordingFile | None:
    row = (await conn.execute(select(recording_files).where(*_one(session_id, identity, form)))).one_or_none()
    return None if row is None else _file(row)


def _one(session_id: UUID, identity: str, form: str) -> Sequence[Any]:
    columns = recording_files.c
    return columns.session_id == session_id, columns.identity == identity, columns.format == form


def _file(row: Row[Any]) -> RecordingFile:
    return RecordingFile(
        row.identity,
        row.format,
        row.state,
        row.requested_at,
        row.attempts,
        row.object_key,
        row.sha256,
        row.size_bytes,
    )
