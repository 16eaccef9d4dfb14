"""Whatever happens to a session while its outputs are made, at each step: never silently wrong, and nothing left over.

A step is one thing that a job does to storage or database. An intruder does what else may happen to a session there.
"""

import io
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import soundfile
from aiohttp import web

from audio.pcm import SAMPLE_RATE
from sessions.codes import lookup
from sessions.errors import DatabaseUnavailableError, ParleyError
from sessions.lifecycle.lifecycle import TERMINAL
from store.database.database import CommitUnknown
from store.jobs.deferring import FINALIZE
from store.objects.causes import NO_FOLDER
from store.objects.errors import StorageError
from store.objects.objects import Objects
from store.outputs.recording_files import RecordingFiles
from store.outputs.summaries import Summaries
from store.outputs.transcripts import Transcripts
from store.runs.run_segments import RunSegments
from store.sessions.edits import SessionEdits
from store.sessions.erasure import SessionErasure
from store.usage.audit import LedgerAudit
from tests.support.network.loopback import http_server
from tests.support.running.engine import Engine
from tests.support.running.staged_outputs import SECONDS, Killed, Production, Stage, digest_of, spoken_truth
from tests.support.talkers.spoken import clip

ORGANIZATION = UUID(int=1)
TRUTH = spoken_truth(clip("3_alice"))
NOT_TWICE = ("session.ended", "session.failed", "session.canceled", "usage.finalized", "recording.", "transcript.")


@pytest.fixture
async def speech_url() -> AsyncIterator[str]:
    """An engine that understands "hello", whatever is said."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({"text": "hello", "language": "en"})

    app = web.Application(client_max_size=8 << 20)
    app.router.add_post("/v1/audio/transcriptions", answer)
    async with http_server(app) as base:
        yield f"{base}/v1"


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Objects:
    """The one that the module's database knows."""
    return Objects.open((tmp_path_factory.mktemp("seams") / "objects").as_uri())


@pytest.fixture
async def production(
    module_database_url: str, storage: Objects, tmp_path: Path, speech_url: str
) -> AsyncIterator[Production]:
    """A session of its own, ended and sealed; nothing is made of it yet."""
    async with Engine.open(module_database_url, pool_size=3) as engine:
        fence = await engine.running(track_files=True)
        made = Production(engine, tmp_path, storage, speech_url, fence, TRUTH)
        await made.end()
        yield made


async def assert_erased(production: Production) -> None:
    """Nothing is left but what the documentation says stays."""
    assert await production.stored() == set()
    tables = await production.engine.sql(
        "SELECT table_name FROM information_schema.columns WHERE column_name = 'session_id' AND table_schema = 'public'"
        " AND table_name NOT IN ('usage_events', 'events', 'event_inbox', 'webhook_deliveries')"
    )
    for table in tables:
        query = f"SELECT count(*) AS n FROM {table.table_name} WHERE session_id = :id"
        assert (await production.row(query)).n == 0, table.table_name
    told = await production.engine.sql(
        "SELECT type FROM event_inbox WHERE session_id = :id UNION ALL SELECT type FROM events WHERE session_id = :id",
        id=production.session_id,
    )
    assert [one.type for one in told].count("session.deleted") == 1


async def assert_right(production: Production, *, given_up: bool = False) -> None:
    """Every rule that holds of a session that is over and was not erased."""
    session = await production.engine.session(production.session_id)
    assert session.status in TERMINAL
    await _assert_told_once(production)
    noted = await _assert_outputs(production, given_up)
    stored = await production.stored()
    segments = {key for key in stored if key.startswith("spool/")}
    if session.recording_state == "failed":
        assert segments, "what could not be made into a recording is kept"
    else:
        assert segments == set()
    assert stored - segments == noted
    check = await LedgerAudit(production.engine.db).check(ORGANIZATION, production.session_id)
    assert check.imbalances() == []
    waiting = await production.engine.sql(
        "SELECT task_name FROM procrastinate_jobs WHERE args->>'session_id' = :id", id=str(production.session_id)
    )
    assert waiting == []


async def _assert_told_once(production: Production) -> None:
    types = await production.engine.events(production.session_id)
    for prefix in NOT_TWICE[3:]:
        assert len([one for one in types if one.startswith(prefix)]) == 1, (prefix, types)
    assert len([one for one in types if one in NOT_TWICE[:3]]) == 1, types
    told = await production.engine.sql(
        "SELECT type FROM event_inbox WHERE session_id = :id UNION ALL SELECT type FROM events WHERE session_id = :id",
        id=production.session_id,
    )
    assert sorted(one.type for one in told) == sorted(types)


async def _assert_outputs(production: Production, given_up: bool) -> set[str]:
    """Each says the same in storage and database; the keys of all that count."""
    recording = await production.row("SELECT * FROM recordings WHERE session_id = :id")
    noted: set[str] = set()
    if recording is not None and recording.committed_at is not None:
        noted |= await _assert_recording(production, recording)
    transcript = await production.row("SELECT * FROM transcripts WHERE session_id = :id")
    session = await production.engine.session(production.session_id)
    document = await production.document(transcript.object_key)
    now = await Transcripts(production.engine.db).read(session)
    assert document["status"] == now.state
    assert document["version"] == now.version
    assert [one["text"] for one in document["segments"]] == [one.text for one in now.segments]
    spoken = sorted((one.start_ms, one.end_ms) for one in now.segments)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spoken)), "nothing is said twice"
    noted.add(transcript.object_key)
    summary = await production.row("SELECT * FROM summaries WHERE session_id = :id")
    if summary is not None:
        assert summary.state == "available"
        assert (await production.document(summary.object_key))["transcript_sha256"] == summary.stored_sha256
        assert summary.stored_sha256 == now.sha256
        noted.add(summary.object_key)
    for file in await RecordingFiles(production.engine.db).of(production.session_id):
        if file.state == "failed":
            assert given_up
            continue
        assert file.state in ("available", "incomplete"), file
        assert file.object_key is not None
        data = await production.objects.get(file.object_key)
        assert (digest_of(data), len(data)) == (file.sha256, file.size_bytes)
        noted.add(file.object_key)
    return noted


async def _assert_recording(production: Production, recording: Any) -> set[str]:
    data = await production.objects.get(recording.object_key)
    assert (digest_of(data), len(data)) == (recording.sha256, recording.size_bytes)
    folder = recording.object_key.rpartition("/")[0]
    document = await production.document(f"{folder}/recording.json")
    assert (document["sha256"], document["gaps"]) == (recording.sha256, recording.gaps)
    samples, rate = soundfile.read(io.BytesIO(data), dtype="int16")
    assert (rate, len(samples)) == (SAMPLE_RATE, SECONDS * SAMPLE_RATE)
    named = np.zeros(len(samples), dtype=bool)
    for gap in recording.gaps:
        assert lookup(gap["code"]).fault == "platform"
        named[gap["start_ms"] * 48 : gap["end_ms"] * 48] = True
    assert np.array_equal(samples[~named], production.truth[~named]), "what is missing is named"
    assert not samples[named].any(), "what is named is missing"
    session = await production.engine.session(production.session_id)
    assert session.recording_state == ("incomplete" if named.any() else "available")
    return {recording.object_key, f"{folder}/recording.json", f"{folder}/waveform.json"}


Intruder = Callable[[Production, str], Awaitable[None]]


async def _delete(production: Production, _: str) -> None:
    with suppress(ParleyError):  # session.active: while it is `ending` nobody can
        await SessionErasure(production.engine.db, production.objects).erase(ORGANIZATION, production.session_id)


async def _expire(production: Production, _: str) -> None:
    await SessionErasure(production.engine.db, production.objects).expire(production.session_id, 0)


async def _finish_elsewhere(production: Production, _: str) -> None:
    await production.rescue()
    await production.settle()


async def _finish_elsewhere_and_delete(production: Production, step: str) -> None:
    await _finish_elsewhere(production, step)
    await _delete(production, step)
    await production.settle()


async def _give_up(production: Production, _: str) -> None:
    await production.give_up()


async def _give_up_and_delete(production: Production, step: str) -> None:
    await production.give_up()
    await _delete(production, step)
    await production.settle()


async def _kill(production: Production, _: str) -> None:
    raise Killed


async def _finish_elsewhere_and_kill(production: Production, step: str) -> None:
    await _finish_elsewhere(production, step)
    raise Killed


async def _finish_elsewhere_delete_and_kill(production: Production, step: str) -> None:
    await _finish_elsewhere_and_delete(production, step)
    raise Killed


async def _storage_away(production: Production, _: str) -> None:
    raise StorageError.away(NO_FOLDER)


async def _database_away(production: Production, step: str) -> None:
    raise CommitUnknown if "done" in step else DatabaseUnavailableError


async def _lose_a_segment(production: Production, _: str) -> None:
    await production.objects.delete(production.keys[1])


async def _lose_a_segment_and_finish_elsewhere(production: Production, step: str) -> None:
    await production.objects.delete(production.keys[1])
    await _finish_elsewhere(production, step)


async def _edit(production: Production, _: str) -> None:
    edits = SessionEdits(production.engine.db)
    await edits.update(ORGANIZATION, production.session_id, {"title": "another", "metadata": {"a": 1}, "tags": ["b"]})
    await edits.archive(ORGANIZATION, production.session_id)


async def _upload_late(production: Production, _: str) -> None:
    segment = await production.upload(1)
    await production.engine.runs.seal(production.fence, RunSegments(1, (segment,)))


async def _ask_for_more(production: Production, _: str) -> None:
    await production.remade()
    await Summaries(production.engine.db).request(production.session_id, again=True)


async def _ask_for_more_elsewhere(production: Production, step: str) -> None:
    await _finish_elsewhere(production, step)
    await _ask_for_more(production, step)
    await production.settle()


async def _delete_and_upload_late(production: Production, step: str) -> None:
    await _delete(production, step)
    await _upload_late(production, step)


async def _finish_elsewhere_and_upload_late(production: Production, step: str) -> None:
    """Who has not heard the beginning hears the rest of it as words of their own."""
    await _finish_elsewhere(production, step)
    segments = [await production.upload(second) for second in (2, 3)]
    await production.engine.runs.seal(production.fence, RunSegments(2, tuple(segments)))


async def _look_elsewhere(production: Production, _: str) -> None:
    """Somebody removes what is not needed: what is about to be noted is."""
    await production.jobs()[FINALIZE](production.session_id)


INTRUDERS: list[Intruder] = [
    _delete,
    _delete_and_upload_late,
    _expire,
    _finish_elsewhere,
    _finish_elsewhere_and_delete,
    _finish_elsewhere_and_kill,
    _finish_elsewhere_and_upload_late,
    _finish_elsewhere_delete_and_kill,
    _give_up,
    _give_up_and_delete,
    _kill,
    _storage_away,
    _database_away,
    _lose_a_segment,
    _lose_a_segment_and_finish_elsewhere,
    _look_elsewhere,
    _edit,
    _upload_late,
    _ask_for_more,
    _ask_for_more_elsewhere,
]

FAILING = (_storage_away, _database_away)

STEPS = """
finalize: begin
finalize: freeze
finalize: list spool
finalize: read a segment #3
finalize: put conversation.wav
finalize: put conversation.wav: done
finalize: read conversation.wav
finalize: put recording.json
finalize: put waveform.json: done
finalize: commit
finalize: commit: done
finalize: list sessions
transcribe: begin
transcribe: read a segment #3
transcribe: put conversation.json
transcribe: put conversation.json: done
transcribe: close
transcribe: close: done
transcribe: list sessions
summarize: begin
summarize: put summary.json
summarize: put summary.json: done
summarize: note
summarize: note: done
summarize: list sessions
make_files: begin
make_files: read a segment #3
make_files: put a participant's file
make_files: put a participant's file: done
make_files: note
make_files: note: done
make_files: put a participant's file #2
make_files: list sessions
make_files: delete spool
make_files: list spool
""".strip().splitlines()


# Of each kind of step, what hurts there most; all the others are tried where there is time for minutes.
ESSENTIAL: dict[str, list[Intruder]] = {
    "finalize: begin": [_edit, _storage_away],
    "finalize: freeze": [_give_up_and_delete],
    "finalize: list spool": [_lose_a_segment, _finish_elsewhere],
    "finalize: read a segment #3": [_finish_elsewhere, _give_up, _kill, _lose_a_segment_and_finish_elsewhere],
    "finalize: put conversation.wav": [
        _finish_elsewhere_and_delete,
        _give_up,
        _lose_a_segment_and_finish_elsewhere,
        _ask_for_more_elsewhere,
    ],
    "finalize: put conversation.wav: done": [_give_up, _kill, _lose_a_segment_and_finish_elsewhere],
    "finalize: put recording.json": [_finish_elsewhere_and_delete, _lose_a_segment_and_finish_elsewhere, _delete],
    "finalize: commit": [_give_up, _database_away, _upload_late],
    "finalize: commit: done": [_database_away, _delete, _kill, _delete_and_upload_late],
    "transcribe: read a segment": [_finish_elsewhere_and_upload_late],
    "transcribe: read a segment #3": [_delete, _finish_elsewhere, _lose_a_segment, _kill],
    "transcribe: put conversation.json": [_delete, _ask_for_more_elsewhere, _upload_late],
    "transcribe: close": [_finish_elsewhere_and_kill, _database_away],
    "transcribe: close: done": [_database_away, _delete, _ask_for_more],
    "summarize: put summary.json": [_expire, _ask_for_more_elsewhere, _delete_and_upload_late],
    "summarize: note": [_finish_elsewhere_delete_and_kill, _ask_for_more_elsewhere],
    "make_files: read a segment #3": [_delete, _finish_elsewhere, _lose_a_segment],
    "transcribe: put conversation.json: done": [_look_elsewhere],
    "summarize: put summary.json: done": [_look_elsewhere],
    "make_files: put a participant's file: done": [_look_elsewhere, _expire, _lose_a_segment_and_finish_elsewhere],
    "make_files: note": [_lose_a_segment_and_finish_elsewhere, _database_away],
    "make_files: delete spool": [_storage_away, _upload_late, _kill],
    "make_files: list spool": [_storage_away, _database_away],
}


def _cases(chosen: dict[str, list[Intruder]]) -> list[Any]:
    return [
        pytest.param(step, intruder, id=f"{step} | {intruder.__name__[1:]}")
        for step, intruders in chosen.items()
        for intruder in intruders
    ]


def _others() -> dict[str, list[Intruder]]:
    return {step: [one for one in INTRUDERS if one not in ESSENTIAL.get(step, [])] for step in STEPS}


async def test_undisturbed_every_output_is_right(production: Production) -> None:
    """And these are the steps."""
    stage = Stage()
    await production.settle(stage)
    assert production.failures == []
    await assert_right(production)
    assert {*STEPS, *ESSENTIAL} <= {*stage.steps}


@pytest.mark.parametrize(("step", "intruder"), _cases(ESSENTIAL))
async def test_whatever_happens_to_a_session_at_a_step_its_outputs_are_right_or_gone(
    production: Production, step: str, intruder: Intruder
) -> None:
    """What is not in the file is named, what counts is what is stored, it is told once, and nothing is left over."""
    await _try(production, step, intruder)


@pytest.mark.long
@pytest.mark.parametrize(("step", "intruder"), _cases(_others()))
async def test_whatever_else_happens_at_any_step(production: Production, step: str, intruder: Intruder) -> None:
    """Every other intruder at every step."""
    await _try(production, step, intruder)


async def _try(production: Production, step: str, intruder: Intruder) -> None:
    reached: list[str] = []

    async def at(now: str) -> None:
        if now == step and not reached:
            reached.append(now)
            await intruder(production, step)

    await production.settle(Stage(at=at))
    assert reached, "the step was never reached"
    if intruder not in FAILING:
        assert [one for one in production.failures if "is missing in the storage" not in one] == []
    erased = await production.row("SELECT FROM sessions WHERE id = :id") is None
    if erased:
        await assert_erased(production)
    else:
        await assert_right(production, given_up=intruder is _give_up)


async def test_what_a_process_wrote_after_an_erasure_before_it_was_killed_is_found(production: Production) -> None:
    """Nobody runs its job again: the jobs of the erasure look later."""

    async def at(now: str) -> None:
        if now == "finalize: put conversation.wav":
            await _finish_elsewhere_and_delete(production, now)
        if now == "finalize: put conversation.wav: done":
            raise Killed

    with pytest.raises(Killed):
        await production.jobs(Stage(at=at))[FINALIZE](production.session_id)
    assert await production.stored() != set()
    await production.run_waiting(hours=3)
    await assert_erased(production)
