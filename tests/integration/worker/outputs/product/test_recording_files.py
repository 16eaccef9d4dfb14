"""What a recording is kept as besides `conversation.wav`: made after the end, on a real database and a real folder."""

import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import soundfile

from audio.pcm import SAMPLE_RATE, Pcm
from sessions.ids import format_id
from sessions.lifecycle.lifecycle import Status
from sessions.lifecycle.stop import Stop
from sessions.settings import Settings
from store.installation.storage_identity import StorageIdentity
from store.jobs.deferring import FINALIZE, MAKE_FILES
from store.objects.errors import StorageError
from store.objects.objects import Objects
from store.outputs.recording_files import MIX, RecordingFile, RecordingFiles
from store.outputs.transcripts import Closing
from store.sweeping.sweeper import sweep
from tests.support.rules.segment_readers import segment_readers
from tests.support.running.engine import Engine
from tests.support.talkers.spoken import SpokenSessions
from worker.outputs.leftovers import Leftovers
from worker.outputs.product.file_maker import FileMaker
from worker.outputs.product.finalizer import Finalizer

SECONDS = 3


@pytest.fixture
async def spoken(database_url: str, tmp_path: Path) -> AsyncIterator[SpokenSessions]:
    """Everything fresh."""
    async with Engine.open(database_url) as engine:
        yield SpokenSessions(engine, Objects.open((tmp_path / "objects").as_uri()), tmp_path)


def files_of(spoken: SpokenSessions) -> RecordingFiles:
    return RecordingFiles(spoken.engine.db)


def maker(spoken: SpokenSessions) -> FileMaker:
    return FileMaker(
        files_of(spoken),
        spoken.engine.freezes,
        spoken.objects,
        StorageIdentity(spoken.engine.db, spoken.objects).confirm,
        Leftovers(spoken.engine.db, spoken.objects),
        temporary=spoken.folder / "tmp",
    )


def tone(hertz: float) -> Pcm:
    """One second."""
    samples: Pcm = (6000 * np.sin(2 * np.pi * hertz * np.arange(SAMPLE_RATE) / SAMPLE_RATE)).astype(np.int16)
    return samples


async def two_voices(spoken: SpokenSessions, **columns: Any) -> UUID:
    """Ann in the first second, Bob in the last."""
    return await spoken.finished({"ann": (0, tone(440)), "bob": (2, tone(660))}, SECONDS, **columns)


async def samples_of(spoken: SpokenSessions, file: RecordingFile) -> Pcm:
    """What is in it; the row says its size and digest."""
    assert file.object_key is not None
    data = await spoken.objects.get(file.object_key)
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (file.sha256, file.size_bytes)
    samples, rate = soundfile.read(io.BytesIO(data), dtype="int16")
    assert rate == SAMPLE_RATE
    found: Pcm = samples
    return found


async def jobs(spoken: SpokenSessions, session_id: UUID) -> set[str]:
    """The tasks that wait for a session."""
    rows = await spoken.engine.sql(
        "SELECT task_name FROM procrastinate_jobs WHERE status = 'todo' AND args->>'session_id' = :id",
        id=str(session_id),
    )
    return {row.task_name for row in rows}


async def test_forms_that_were_asked_for_are_made_after_the_end(spoken: SpokenSessions) -> None:
    """The session has ended before any is made; each is as long as the recording, and has its tone in its place."""
    session_id = await two_voices(spoken, formats=["opus", "flac", "mp3"])
    assert await spoken.engine.status(session_id) == Status.ENDED
    assert MAKE_FILES in await jobs(spoken, session_id)
    wanted = await files_of(spoken).of(session_id)
    assert [(file.identity, file.format, file.state) for file in wanted] == [
        (MIX, form, "pending") for form in ("flac", "opus", "mp3")
    ]
    await maker(spoken).make(session_id)
    made = await files_of(spoken).of(session_id)
    assert {file.state for file in made} == {"available"}
    for file in made:
        samples = await samples_of(spoken, file)
        assert len(samples) == SECONDS * SAMPLE_RATE, file.format
        middle = samples[SAMPLE_RATE // 4 : 3 * SAMPLE_RATE // 4]
        assert np.argmax(np.abs(np.fft.rfft(middle))) == 220, file.format
    assert not list((spoken.folder / "tmp").iterdir())


async def test_a_session_that_asked_for_nothing_has_no_file_and_no_job(spoken: SpokenSessions) -> None:
    """One that is asked for later is made then, once."""
    session_id = await two_voices(spoken)
    assert await files_of(spoken).of(session_id) == []
    assert MAKE_FILES not in await jobs(spoken, session_id)
    for _ in range(2):
        file = await files_of(spoken).request(session_id, MIX, "flac")
        assert file is not None
        assert file.state == "pending"
    assert MAKE_FILES in await jobs(spoken, session_id)
    await maker(spoken).make(session_id)
    file = await files_of(spoken).request(session_id, MIX, "flac")
    assert file is not None
    assert (file.state, file.attempts) == ("available", 1)


async def test_each_participant_has_a_file_in_each_form(spoken: SpokenSessions) -> None:
    """All of the recording's length; the segments stay until they are made, and until the transcript is."""
    session_id = await two_voices(spoken, formats=["flac"], track_files=True)
    assert len(await spoken.spool(session_id)) == 2
    await spoken.transcripts.close(session_id, Closing(), "key")
    await finalize(spoken, session_id)
    assert len(await spoken.spool(session_id)) == 2
    await maker(spoken).make(session_id)
    made = {(file.identity, file.format): file for file in await files_of(spoken).of(session_id)}
    assert set(made) == {(MIX, "flac"), *((who, form) for who in ("ann", "bob") for form in ("wav", "flac"))}
    for form in ("wav", "flac"):
        ann, bob = [await samples_of(spoken, made[who, form]) for who in ("ann", "bob")]
        assert len(ann) == len(bob) == SECONDS * SAMPLE_RATE
        assert np.array_equal(ann[:SAMPLE_RATE], tone(440))
        assert not ann[SAMPLE_RATE:].any()
        assert np.array_equal(bob[2 * SAMPLE_RATE :], tone(660))
        assert np.array_equal(ann + bob, await samples_of(spoken, made[MIX, "flac"]))
    assert await spoken.spool(session_id) == []


@pytest.mark.parametrize("stop", [Stop.ended("end.requested"), Stop.failed("worker.lost")])
async def test_the_transcript_leaves_the_segments_to_the_files(spoken: SpokenSessions, stop: Stop) -> None:
    """Whichever is done last has them deleted, also of a session that failed and has a recording."""
    session_id = await two_voices(spoken, track_files=True, stop=stop)
    assert await segment_readers(spoken.engine, session_id) == {"transcript", "files"}
    await maker(spoken).make(session_id)
    await finalize(spoken, session_id)
    assert len(await spoken.spool(session_id)) == 2
    await spoken.engine.sql("DELETE FROM procrastinate_jobs")
    await spoken.transcripts.close(session_id, Closing(), "key")
    await spoken.engine.sql("UPDATE leftovers SET due_at = now()")  # as if the job that closed it had died right then
    await sweep(spoken.engine.db, Settings())
    assert FINALIZE in await jobs(spoken, session_id)
    await finalize(spoken, session_id)
    assert await spoken.spool(session_id) == []
    assert await spoken.engine.sql("SELECT FROM leftovers") == []


async def test_a_participant_without_a_file_gets_none(spoken: SpokenSessions) -> None:
    """Neither a stranger, nor anybody of a session that did not ask for tracks."""
    session_id = await two_voices(spoken, track_files=True)
    assert await files_of(spoken).request(session_id, "carol", "flac") is None
    assert await files_of(spoken).request(session_id, "carol", "wav") is None
    other = await two_voices(spoken)
    assert await files_of(spoken).request(other, "ann", "opus") is None


async def test_a_file_that_can_not_be_made_is_given_up_and_tried_again_when_it_is_asked_for(
    spoken: SpokenSessions,
) -> None:
    """It holds up no other one, and twenty attempts are enough."""
    session_id = await two_voices(spoken, formats=["flac", "opus"])
    [recording] = await spoken.engine.sql("SELECT object_key FROM recordings WHERE session_id = :id", id=session_id)
    wav = await spoken.objects.get(recording.object_key)
    await spoken.objects.delete(recording.object_key)
    with pytest.raises((OSError, StorageError)):
        await maker(spoken).make(session_id)
    await spoken.engine.sql("UPDATE recording_files SET attempts = 20")
    await maker(spoken).make(session_id)
    assert {file.state for file in await files_of(spoken).of(session_id)} == {"failed"}
    await spoken.objects.put_bytes(recording.object_key, wav)
    await files_of(spoken).request(session_id, MIX, "flac")
    await maker(spoken).make(session_id)
    states = {file.format: file.state for file in await files_of(spoken).of(session_id)}
    assert states == {"flac": "available", "opus": "failed"}


async def test_a_participants_other_forms_are_given_up_with_the_wav_file(spoken: SpokenSessions) -> None:
    """Nobody waits for what there is nothing to make from, and it can't be asked for again; others are made."""
    session_id = await two_voices(spoken, formats=["flac"], track_files=True)
    await spoken.engine.sql("UPDATE recording_files SET attempts = 20 WHERE (identity, format) = ('ann', 'wav')")
    await maker(spoken).make(session_id)
    states = {(file.identity, file.format): file.state for file in await files_of(spoken).of(session_id)}
    assert {one for one, state in states.items() if state == "failed"} == {("ann", "wav"), ("ann", "flac")}
    assert {state for (who, _), state in states.items() if who != "ann"} == {"available"}
    asked = await files_of(spoken).request(session_id, "ann", "flac")
    assert asked is not None
    assert asked.state == "failed"


async def test_of_an_empty_recording_no_other_form_is_wanted(spoken: SpokenSessions) -> None:
    """Neither by the session nor later."""
    session_id = await spoken.finished({}, 0, formats=["flac", "opus", "mp3"], track_files=True)
    for form in ("flac", "opus", "mp3"):
        assert await files_of(spoken).request(session_id, MIX, form) is None
    assert await files_of(spoken).of(session_id) == []
    assert MAKE_FILES not in await jobs(spoken, session_id)


async def test_a_session_that_is_erased_meanwhile_leaves_no_file(spoken: SpokenSessions) -> None:
    """What was made for nobody is removed."""
    session_id = await two_voices(spoken, formats=["flac"])
    name = format_id("sess", session_id)
    making = maker(spoken)
    put_file = spoken.objects.put_file

    async def put_and_erase(key: str, path: Path, *, disposition: str | None = None) -> None:
        await put_file(key, path, disposition=disposition)
        await spoken.engine.sql("DELETE FROM sessions WHERE id = :id", id=session_id)

    spoken.objects.put_file = put_and_erase  # type: ignore[method-assign]
    await making.make(session_id)
    assert await spoken.objects.list(f"sessions/{name}") == []


async def finalize(spoken: SpokenSessions, session_id: UUID) -> None:
    """As the job does that is deferred again."""
    finalizer = Finalizer(
        spoken.engine.freezes,
        spoken.objects,
        StorageIdentity(spoken.engine.db, spoken.objects).confirm,
        Leftovers(spoken.engine.db, spoken.objects),
        temporary=spoken.folder / "tmp",
        salvage_seconds=60,
    )
    await finalizer.finalize(session_id)


@pytest.mark.parametrize("how", ["missing", "cut off"])
async def test_a_file_says_that_it_lacks_what_was_lost_after_the_commit(spoken: SpokenSessions, how: str) -> None:
    """Bob's is incomplete in each form; Ann's is whole."""
    session_id = await two_voices(spoken, formats=["flac"], track_files=True)
    [key] = [key for key, _ in await spoken.spool(session_id) if b"TR_bob" in spoken.written[key]]
    await spoken.objects.delete(key)
    if how == "cut off":
        await spoken.objects.put_create(key, spoken.written[key][:-1000])
    await maker(spoken).make(session_id)
    made = {(file.identity, file.format): file for file in await files_of(spoken).of(session_id)}
    assert {one: file.state for one, file in made.items()} == {
        (MIX, "flac"): "available",
        ("ann", "wav"): "available",
        ("ann", "flac"): "available",
        ("bob", "wav"): "incomplete",
        ("bob", "flac"): "incomplete",
    }
    assert len(await samples_of(spoken, made["bob", "flac"])) == SECONDS * SAMPLE_RATE


async def test_a_file_lacks_nothing_that_the_recording_lacks_too(spoken: SpokenSessions) -> None:
    """The gap in the recording says it already."""

    async def lose(session_id: UUID) -> None:
        [key] = [key for key, _ in await spoken.spool(session_id) if b"TR_bob" in spoken.written[key]]
        await spoken.objects.delete(key)
        await spoken.objects.put_create(key, b"damaged")

    turns = {"ann": (0.0, tone(440)), "bob": (2.0, tone(660))}
    session_id = await spoken.finished(turns, SECONDS, lose, track_files=True)
    await maker(spoken).make(session_id)
    assert {file.identity: file.state for file in await files_of(spoken).of(session_id)} == {"ann": "available"}
