"""Transcripts that are made anew from what is kept of a session, when its segments are gone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from sessions.ids import format_id
from sessions.settings import Settings
from sessions.texts.transcript import Transcript
from store.installation.storage_identity import StorageIdentity
from store.objects.errors import StorageError
from store.objects.objects import Objects
from store.outputs.live_transcripts import LiveTranscripts
from store.outputs.recording_files import RecordingFiles
from store.outputs.transcript_versions import TranscriptRun, TranscriptVersions
from store.sessions.log.session_log import NewLogEntry, SessionLog
from store.sessions.queries import SessionQueries
from tests.support.running.engine import Engine
from tests.support.talkers.spoken import SpokenSessions, clip
from worker.outputs.leftovers import Leftovers
from worker.outputs.product.file_maker import FileMaker
from worker.outputs.speech.engines.choice import SpeechEngines
from worker.outputs.speech.remaker import RemakingStore, TranscriptRemaker
from worker.outputs.speech.transcriber import Transcriber

TURNS = {"alice": (1.0, clip("3_alice")), "bob": (7.0, clip("4_bob"))}


class Kept(SpokenSessions):
    """Sessions that are over, transcribed, and whose segments are gone."""

    async def transcribed(self, **columns: Any) -> UUID:
        """One of them; its first transcript is the embedded engine's."""
        session_id = await self.finished(TURNS, 12, **columns)
        await self.transcribe(session_id)
        return session_id

    async def transcribe(self, session_id: UUID) -> None:
        """Close the first transcript, and make the files that were asked for."""
        engine, confirm = self.engine, StorageIdentity(self.engine.db, self.objects).confirm
        engines = SpeechEngines(Settings(speech_engine="moonshine"))
        log, live, leftovers = SessionLog(engine.db), LiveTranscripts(engine.db), Leftovers(engine.db, self.objects)
        first = Transcriber(
            self.transcripts, engine.freezes, log, self.objects, confirm, engines, live, leftovers,
            deadline_seconds=86400,
        )  # fmt: skip
        await first.transcribe(session_id)
        files = RecordingFiles(engine.db)
        temporary = self.folder / "tmp"
        maker = FileMaker(files, engine.freezes, self.objects, confirm, leftovers, temporary=temporary)
        await maker.make(session_id)
        for key, _ in await self.spool(session_id):
            await self.objects.delete(key)

    @property
    def versions(self) -> TranscriptVersions:
        """Of the engine's database."""
        return TranscriptVersions(self.engine.db)

    async def remade(self, session_id: UUID, engine: str | None = None, **settings: Any) -> TranscriptRun:
        """How a run went."""
        db = self.engine.db
        store = RemakingStore(
            self.versions,
            self.transcripts,
            RecordingFiles(db),
            SessionQueries(db),
            SessionLog(db),
            self.objects,
            StorageIdentity(db, self.objects).confirm,
            Leftovers(db, self.objects),
        )
        chosen = Settings(**settings)
        await self.versions.request(session_id, engine, None)
        remaker = TranscriptRemaker(store, chosen, SpeechEngines(chosen), temporary=self.folder / "tmp")
        await remaker.remake(session_id)
        run = await self.versions.last(session_id)
        assert run is not None
        return run

    async def file(self, session_id: UUID) -> bytes:
        """The only `conversation.json`."""
        key = await self.transcripts.object_key(session_id)
        stored = [one for one, _ in await self.objects.list(f"sessions/{format_id('sess', session_id)}/transcript")]
        assert [key] == stored
        return await self.objects.get(stored[0])

    async def transcript(self, session_id: UUID) -> Transcript:
        """The newest."""
        return await self.transcripts.read(await self.engine.session(session_id))


@pytest.fixture
async def kept(database_url: str, tmp_path: Path) -> AsyncIterator[Kept]:
    """Everything fresh."""
    async with Engine.open(database_url) as engine:
        yield Kept(engine, Objects.open((tmp_path / "objects").as_uri()), tmp_path)


async def test_it_is_made_of_each_participants_file(kept: Kept) -> None:
    """As good as the first one: the same people at the same times; the first is kept, and a summary is made anew."""
    session_id = await kept.transcribed(track_files=True)
    first = await kept.transcript(session_id)
    run = await kept.remade(session_id, speech_engine="none", engine="moonshine")
    assert (run.state, run.version, run.engine, run.audio) == ("available", 2, "moonshine", "tracks")
    second = await kept.transcript(session_id)
    assert (second.version, second.language) == (2, "en")
    assert second.sha256 != first.sha256
    assert [(one.identity, one.speaker) for one in second.segments] == [
        (one.identity, one.speaker) for one in first.segments
    ]
    assert "Only postgres" in second.segments[0].text
    for before, after in zip(first.segments, second.segments, strict=True):
        assert abs(before.start_ms - after.start_ms) < 100
    session = await kept.engine.session(session_id)
    assert (await kept.transcripts.head(session, 1)) is not None
    summary = await kept.summaries.get(session_id)
    assert summary is not None
    assert summary.state == "generating"
    assert b'"version": 2' in await kept.file(session_id)
    assert not list((kept.folder / "tmp").iterdir())


async def test_of_the_mix_speakers_are_known_where_one_was_heard_alone(kept: Kept) -> None:
    """From when each was heard on their own track."""
    session_id = await kept.transcribed()
    run = await kept.remade(session_id, speech_engine="moonshine")
    assert (run.state, run.audio) == ("available", "mix")
    assert {("alice", "Alice"), ("bob", "Bob")} == {
        (one.identity, one.speaker) for one in (await kept.transcript(session_id)).segments
    }


@pytest.mark.long
async def test_of_the_mix_of_what_was_never_recognized_nobody_knows_who_said_it(kept: Kept) -> None:
    """The session wanted no transcript at first."""
    unheard = await kept.transcribed(transcription_mode="off")
    assert (await kept.transcript(unheard)).segments == ()
    await kept.remade(unheard, speech_engine="moonshine")
    segments = (await kept.transcript(unheard)).segments
    assert segments
    assert {(None, "user")} == {(one.identity, one.role) for one in segments}


@pytest.mark.long
async def test_a_mix_in_which_an_agent_speaks_is_refused(kept: Kept) -> None:
    """Its own text is there already, and nobody can tell its voice from others'; with files there is no trouble."""

    async def transcribe(session_id: UUID) -> None:
        own = NewLogEntry(
            kind="segment", role="assistant", text="As I say.", source="lk.transcription", identity="alice", start_ms=1
        )
        await SessionLog(kept.engine.db).append(session_id, [own])

    for tracks, state in ((False, "failed"), (True, "available")):
        session_id = await kept.finished(TURNS, 12, transcribe, track_files=tracks)
        await kept.transcribe(session_id)
        run = await kept.remade(session_id, speech_engine="moonshine")
        assert (run.state, run.code) == (state, None if tracks else "speech.audio_missing")
        texts = [(one.identity, one.source) for one in (await kept.transcript(session_id)).segments]
        assert [one for one in texts if one[0] == "alice"] == [("alice", "lk.transcription")]


async def test_an_engine_that_is_not_there_makes_nothing(kept: Kept) -> None:
    """It says why; what is served stays."""
    session_id = await kept.transcribed()
    for engine, settings in (("openai", {}), (None, {"speech_engine": "none"})):
        run = await kept.remade(session_id, engine, **settings)
        assert (run.state, run.version, run.code) == ("failed", 2, "speech.engine_missing")
    assert (await kept.transcript(session_id)).version == 1


@pytest.mark.parametrize("what", ["put_bytes", "finish"])
async def test_what_fails_after_it_was_heard_is_done_by_the_next_attempt(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Storage or database, once: nothing is heard again, and file, API and summary have the new version."""
    session_id = await kept.transcribed()

    async def fail(*_: object) -> None:
        raise StorageError("storage.unavailable", "a hiccup")

    with monkeypatch.context() as outage:
        outage.setattr(Objects if what == "put_bytes" else TranscriptVersions, what, fail)
        with pytest.raises(StorageError):
            await kept.remade(session_id, speech_engine="moonshine")
    assert (await kept.transcript(session_id)).version == 1
    await kept.engine.sql("DELETE FROM summaries")
    monkeypatch.setattr(TranscriptRemaker, "_hear", fail)
    run = await kept.remade(session_id, speech_engine="moonshine")
    assert (run.state, run.version, run.engine) == ("available", 2, "moonshine")
    assert (await kept.transcript(session_id)).version == 2
    assert b'"version": 2' in await kept.file(session_id)
    summary = await kept.summaries.get(session_id)
    assert summary is not None
    assert summary.state == "generating"
