"""Which objects of a session are needed: those that the database notes, and those that somebody may still note."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from sessions.lifecycle.lifecycle import TERMINAL
from store.database.database import Database
from store.lifecycle.leftovers import mark_leftovers, marked_leftovers, unmark_leftovers
from store.outputs.output_keys import FILES, RECORDING, SUMMARY, TRANSCRIPT, session_folder

_OVER = ", ".join(f"'{status}'" for status in sorted(TERMINAL))
# One statement, so that it is all of one instant: what is noted between two would be missing from both.
_NEEDED = text(
    f"""
    SELECT s.status IN ({_OVER}) AS is_over, r.object_key AS recording, t.object_key AS transcript,
        u.object_key AS summary, r.committed_at IS NOT NULL AS is_committed,
        coalesce(t.state = 'pending', false) OR EXISTS (
            SELECT FROM transcript_versions v WHERE v.session_id = s.id AND v.state = 'generating') AS transcribes,
        coalesce(u.state = 'generating', false) AS summarizes, coalesce(t.state = 'pending', false) AS hears,
        ARRAY(SELECT object_key FROM recording_files f WHERE f.session_id = s.id AND object_key IS NOT NULL) AS files,
        EXISTS (SELECT FROM recording_files f WHERE f.session_id = s.id AND f.state = 'pending') AS makes_files,
        EXISTS (
            SELECT FROM recording_files f WHERE f.session_id = s.id AND f.state = 'pending' AND f.format = 'wav'
        ) AS makes_tracks
    FROM sessions s LEFT JOIN recordings r ON r.session_id = s.id LEFT JOIN transcripts t ON t.session_id = s.id
        LEFT JOIN summaries u ON u.session_id = s.id
    WHERE s.id = :id
    """
)


@dataclass(frozen=True, slots=True)
class NeededObjects:
    """What a session needs of its objects, at one instant.

    Attributes:
        folder: of the session, without a slash at its end.
        folders: those of single outputs in it, with a slash at their end, that are needed with all that is in them.
        files: keys of the participants' files and other forms.
        open_kinds: of which somebody may still note any object (`store.outputs.output_keys`).
        segments: whether somebody still reads them, or there is no recording of them.
    """

    folder: str
    folders: tuple[str, ...]
    files: frozenset[str]
    open_kinds: frozenset[str]
    segments: bool

    def has(self, key: str) -> bool:
        """Whether this object is needed, which was there at an earlier instant. What nobody knows is."""
        kind, _, rest = key.removeprefix(f"{self.folder}/").partition("/")
        if not rest or kind not in (RECORDING, TRANSCRIPT, SUMMARY, FILES) or kind in self.open_kinds:
            return True
        return key in self.files if kind == FILES else key.startswith(self.folders)


class NeededObjectsReader:
    """Tells what a session needs, and takes note of whoever has looked."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def mark(self, session_id: UUID) -> datetime | None:
        """Why somebody looks: the last mark (`store.lifecycle.leftovers`)."""
        async with self._db.begin() as conn:
            return await marked_leftovers(conn, session_id)

    async def mark_again(self, session_id: UUID) -> None:
        """Ask for a look later: something may have been written that nobody notes."""
        async with self._db.begin() as conn:
            await mark_leftovers(conn, session_id)

    async def of(self, session_id: UUID) -> NeededObjects | None:
        """What the session needs now; None: it was erased."""
        async with self._db.begin() as conn:
            row = (await conn.execute(_NEEDED, {"id": session_id})).one_or_none()
        if row is None:
            return None
        open_kinds = {
            RECORDING: not row.is_over,
            TRANSCRIPT: not row.is_over or row.transcribes,
            SUMMARY: not row.is_over or row.summarizes,
            FILES: not row.is_over or row.makes_files,
        }
        folders = [f"{key.rpartition('/')[0]}/" for key in (row.recording, row.transcript, row.summary) if key]
        return NeededObjects(
            folder=session_folder(session_id),
            folders=tuple(folder for folder in folders if folder != f"{session_folder(session_id)}/"),
            files=frozenset(row.files),
            open_kinds=frozenset(kind for kind, is_open in open_kinds.items() if is_open),
            segments=not row.is_committed or row.hears or row.makes_tracks,
        )

    async def looked(self, session_id: UUID, mark: datetime | None) -> None:
        """Note that nothing is left, unless the session was marked again since `mark`."""
        if mark is not None:
            async with self._db.begin() as conn:
                await unmark_leftovers(conn, session_id, mark)
