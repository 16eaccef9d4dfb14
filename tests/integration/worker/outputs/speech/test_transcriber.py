"""Transcripts of real speech (espeak-ng's), from the spool of a finalized session to `conversation.json`."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from aiohttp import web

from audio.pcm import SAMPLE_RATE
from sessions.errors import DatabaseUnavailableError
from sessions.ids import format_id
from sessions.settings import Settings
from store.installation.storage_identity import StorageIdentity
from store.objects.objects import Objects
from store.outputs.live_transcripts import LiveTranscripts
from store.outputs.transcripts import Transcripts
from store.sessions.erasure import SessionErasure
from store.sessions.log.session_log import NewLogEntry, SessionLog
from tests.support.network.loopback import http_server
from tests.support.rules.segment_readers import segment_readers
from tests.support.running.engine import Engine
from tests.support.talkers.spoken import SpokenSessions, clip
from worker.outputs.leftovers import Leftovers
from worker.outputs.speech.engines.choice import SpeechEngines
from worker.outputs.speech.engines.engine import SpeechError
from worker.outputs.speech.transcriber import Transcriber


@pytest.fixture
async def spoken(database_url: str, tmp_path: Path) -> AsyncIterator[SpokenSessions]:
    """Everything fresh."""
    async with Engine.open(database_url) as engine:
        yield SpokenSessions(engine, Objects.open((tmp_path / "objects").as_uri()), tmp_path)


def transcriber(spoken: SpokenSessions, **settings: Any) -> Transcriber:
    """As the speech process has it, with these settings."""
    return Transcriber(
        spoken.transcripts,
        spoken.engine.freezes,
        SessionLog(spoken.engine.db),
        spoken.objects,
        StorageIdentity(spoken.engine.db, spoken.objects).confirm,
        SpeechEngines(Settings(**settings)),
        LiveTranscripts(spoken.engine.db),
        Leftovers(spoken.engine.db, spoken.objects),
        deadline_seconds=86400,
    )


async def document(spoken: SpokenSessions, session_id: UUID) -> dict[str, Any]:
    """What `conversation.json` holds."""
    key = await spoken.transcripts.object_key(session_id)
    assert key is not None
    content = json.loads(await spoken.objects.get(key))
    assert isinstance(content, dict)
    return content


def recording_folder(spoken: SpokenSessions, session_id: UUID) -> Path:
    """Where the objects of a session are."""
    folder = spoken.objects.local_path(f"sessions/{format_id('sess', session_id)}")
    assert folder is not None
    return folder


class Endpoint:
    """An OpenAI-compatible transcription endpoint on loopback; it answers what the test put into `answers`."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answers: list[web.Response] = []
        self.before_answer: Callable[[], Awaitable[object]] | None = None

    async def transcribe(self, request: web.Request) -> web.Response:
        """Take the form, give the next answer; the last one for ever."""
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        self.requests.append(
            {
                "authorization": request.headers.get("Authorization"),
                "model": form["model"],
                "response_format": form["response_format"],
                "language": form.get("language"),
                "granularities": form.getall("timestamp_granularities[]"),
                "wav": file.file.read(),
            }
        )
        if self.before_answer is not None:
            await self.before_answer()
        return self.answers.pop(0) if self.answers else web.json_response({"text": "hello"})


@pytest.fixture
async def endpoint() -> AsyncIterator[tuple[Endpoint, str]]:
    """The endpoint and its base URL."""
    endpoint = Endpoint()
    app = web.Application(client_max_size=8 << 20)
    app.router.add_post("/v1/audio/transcriptions", endpoint.transcribe)
    async with http_server(app) as base:
        yield endpoint, f"{base}/v1"


async def test_each_participants_words_carry_their_name_and_place(spoken: SpokenSessions) -> None:
    """The embedded engine hears both talkers, where they spoke; the segments go when they have been read."""
    session_id = await spoken.finished({"alice": (1.0, clip("1_alice")), "bob": (6.0, clip("4_bob"))}, seconds=10)
    assert await spoken.spool(session_id)

    await transcriber(spoken, speech_engine="moonshine").transcribe(session_id)

    content = await document(spoken, session_id)
    assert tuple(content[name] for name in ("status", "engine", "model", "language")) == (
        "available",
        "moonshine",
        "tiny-en",
        "en",
    )
    segments = content["segments"]
    assert {"alice", "bob"} == {segment["identity"] for segment in segments}
    assert {"Alice", "Bob"} == {segment["speaker"] for segment in segments}
    alice = [segment for segment in segments if segment["identity"] == "alice"]
    assert "can you hear me" in " ".join(segment["text"] for segment in alice)
    for segment in segments:
        low, high = (700, 5000) if segment["identity"] == "alice" else (5700, 9600)
        assert low <= segment["start_ms"] < segment["end_ms"] <= high
        assert segment["source"] == "speech"
        assert segment["final"] is True
        assert 0 <= segment["confidence"] <= 1
        assert (segment["words"], segment["reason"]) == (None, None)
    assert segments == sorted(segments, key=lambda segment: segment["start_ms"])
    assert await spoken.spool(session_id) == []
    assert list((spoken.folder / "tmp").iterdir()) == []


async def test_silence_and_tones_are_not_sent_to_the_engine(
    spoken: SpokenSessions, endpoint: tuple[Endpoint, str]
) -> None:
    """Voice activity decides: what costs money is speech only."""
    heard, url = endpoint
    beep = (8000 * np.sin(2 * np.pi * 440 * np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE)).astype(np.int16)
    session_id = await spoken.finished(
        {"alice": (20.0, clip("3_alice")), "beeper": (0.0, beep), "quiet": (0.0, np.zeros_like(beep))}, seconds=60
    )
    await transcriber(spoken, speech_url=url).transcribe(session_id)
    seconds = sum((len(request["wav"]) - 44) / 2 / 16000 for request in heard.requests)
    assert len(heard.requests) == 1
    assert 2.0 < seconds < 3.5


async def test_the_endpoints_words_and_times_are_placed_in_the_session(
    spoken: SpokenSessions, endpoint: tuple[Endpoint, str]
) -> None:
    """Text, word times, language and confidence are the endpoint's; key and model are the settings'."""
    heard, url = endpoint
    heard.answers.append(
        web.json_response(
            {
                "text": " Only Postgres. ",
                "language": "english",
                "words": [{"word": "Only", "start": 0.2, "end": 0.5}, {"word": "Postgres", "start": 0.5, "end": 1.0}],
                "segments": [{"avg_logprob": -0.1}],
            }
        )
    )
    session_id = await spoken.finished({"alice": (20.0, clip("3_alice"))}, seconds=30)
    await transcriber(spoken, speech_url=url, speech_key="secret", speech_model="large").transcribe(session_id)
    [request] = heard.requests
    assert (
        request["authorization"],
        request["model"],
        request["response_format"],
    ) == ("Bearer secret", "large", "verbose_json")
    assert request["wav"].startswith(b"RIFF")
    content = await document(spoken, session_id)
    [segment] = content["segments"]
    assert (content["engine"], content["model"], content["language"]) == ("openai", "large", "en")
    assert (segment["text"], segment["identity"], segment["confidence"]) == ("Only Postgres.", "alice", 0.9048)
    assert 20_000 <= segment["start_ms"] <= 20_300
    assert segment["end_ms"] - segment["start_ms"] == 800
    assert [word["text"] for word in segment["words"]] == ["Only", "Postgres"]


async def test_speech_that_nobody_wants_recognized_is_not(
    spoken: SpokenSessions, endpoint: tuple[Endpoint, str]
) -> None:
    """`transcription.mode: off`: the transcript is complete without it, and no engine hears anything."""
    heard, url = endpoint
    session_id = await spoken.finished({"alice": (1.0, clip("3_alice"))}, seconds=5, transcription_mode="off")
    await transcriber(spoken, speech_url=url).transcribe(session_id)
    content = await document(spoken, session_id)
    assert (content["status"], content["engine"], content["segments"]) == ("available", None, [])
    assert heard.requests == []
    assert await spoken.spool(session_id) == []


async def test_an_engine_is_told_what_language_is_spoken(
    spoken: SpokenSessions, endpoint: tuple[Endpoint, str]
) -> None:
    """The language itself, as engines know it; unless the session names one, they find out."""
    heard, url = endpoint
    for language, told in (("pt-BR", "pt"), (None, None)):
        heard.requests.clear()
        session_id = await spoken.finished(
            {"alice": (1.0, clip("3_alice"))}, seconds=5, transcription_language=language
        )
        await transcriber(spoken, speech_url=url).transcribe(session_id)
        assert [told] == [request["language"] for request in heard.requests]


async def test_a_language_that_the_engine_does_not_know_is_said(spoken: SpokenSessions) -> None:
    """English text of what is known to be French would be made up."""
    session_id = await spoken.finished({"alice": (1.0, clip("3_alice"))}, seconds=5, transcription_language="fr")
    await transcriber(spoken, speech_engine="moonshine").transcribe(session_id)
    content = await document(spoken, session_id)
    assert (content["status"], content["segments"]) == ("incomplete", [])
    assert content["error"] == {
        "code": "speech.language_unsupported",
        "message": "the moonshine engine knows English only, not fr",
    }


async def test_an_endpoint_that_refuses_leaves_a_transcript_without_speech(
    spoken: SpokenSessions, endpoint: tuple[Endpoint, str]
) -> None:
    """It says why; the session is ended all the same, and the segments go."""
    heard, url = endpoint
    heard.answers += [web.json_response({"error": {"message": "no"}}, status=401)]
    session_id = await spoken.finished({"alice": (1.0, clip("3_alice"))}, seconds=5)
    await transcriber(spoken, speech_url=url).transcribe(session_id)
    content = await document(spoken, session_id)
    assert (content["status"], content["segments"]) == ("incomplete", [])
    assert content["error"] == {"code": "speech.engine_refused", "message": "the endpoint answered with HTTP 401"}
    assert await spoken.spool(session_id) == []


async def test_an_endpoint_that_is_busy_is_asked_again_by_the_next_job(
    spoken: SpokenSessions, endpoint: tuple[Endpoint, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The segments wait; what was recognized is in the log once."""
    heard, url = endpoint
    monkeypatch.setattr("worker.outputs.openai_endpoint.FIRST_PAUSE_SECONDS", 0.01)
    heard.answers += [web.Response(status=503) for _ in range(3)]
    session_id = await spoken.finished({"alice": (1.0, clip("3_alice"))}, seconds=5)
    job = transcriber(spoken, speech_url=url)
    with pytest.raises(SpeechError) as failure:
        await job.transcribe(session_id)
    assert failure.value.code == "speech.engine_failed"
    assert await spoken.spool(session_id)
    assert await segment_readers(spoken.engine, session_id) == {"transcript"}
    await job.transcribe(session_id)
    await job.transcribe(session_id)
    assert [segment["text"] for segment in (await document(spoken, session_id))["segments"]] == ["hello"]


async def test_another_attempt_goes_on_where_the_log_ends(
    spoken: SpokenSessions, endpoint: tuple[Endpoint, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an engine has answered is asked once: utterances in the order of time, whoever speaks; nobody pays twice."""
    heard, url = endpoint
    pause = np.zeros(8 * SAMPLE_RATE, dtype=np.int16)
    alice = np.concatenate([clip("3_alice"), pause, clip("3_alice")])
    turns = {"alice": (1.0, alice), "bob": (12.0, clip("4_bob")), "carol": (6.0, clip("3_alice"))}
    session_id = await spoken.finished(turns, seconds=20)
    monkeypatch.setattr("worker.outputs.openai_endpoint.FIRST_PAUSE_SECONDS", 0.01)
    heard.answers += [web.json_response({"text": text, "language": "en"}) for text in ("one", "two")]
    heard.answers += [web.Response(status=503) for _ in range(3)]
    job = transcriber(spoken, speech_url=url)
    with pytest.raises(SpeechError):
        await job.transcribe(session_id)
    logged = await spoken.engine.sql("SELECT text, seq FROM log_entries WHERE session_id = :id", id=session_id)
    assert {("one", 1), ("two", 2)} == {tuple(row) for row in logged}
    answered = [request["wav"] for request in heard.requests[:2]]
    heard.requests.clear()

    await job.transcribe(session_id)
    segments = (await document(spoken, session_id))["segments"]
    assert [one["text"] for one in segments] == ["one", "two", *["hello"] * (len(segments) - 2)]
    assert not [request for request in heard.requests if request["wav"] in answered]
    assert [one["seq"] for one in segments] == list(range(1, len(segments) + 1)), "logged in the order of time"
    assert {"alice", "bob", "carol"} == {one["identity"] for one in segments}


async def test_an_attempt_that_finds_everything_in_the_log_knows_the_language_again(
    spoken: SpokenSessions, endpoint: tuple[Endpoint, str]
) -> None:
    """Killed between the last words and the file: one question tells the language, nothing is logged twice."""
    heard, url = endpoint
    heard.answers += [web.json_response({"text": "Nur Postgres", "language": "de"}) for _ in range(2)]
    session_id = await spoken.finished({"alice": (1.0, clip("3_alice"))}, seconds=5)
    await transcriber(spoken, speech_url=url).transcribe(session_id)
    first = await document(spoken, session_id)
    await spoken.engine.sql(
        "UPDATE transcripts SET state = 'pending', language = NULL WHERE session_id = :id", id=session_id
    )
    for key, data in spoken.written.items():
        await spoken.objects.put_create(key, data)
    written = await spoken.transcripts.object_key(session_id)
    assert written is not None
    await spoken.objects.delete(written)
    await transcriber(spoken, speech_url=url).transcribe(session_id)
    assert (first, "de", 2) == (await document(spoken, session_id), first["language"], len(heard.requests))


async def test_times_that_an_endpoint_makes_up_stay_within_the_utterance(
    spoken: SpokenSessions, endpoint: tuple[Endpoint, str]
) -> None:
    """Words before it, after it, backwards and at the end of all numbers; NUL, which PostgreSQL can't keep."""
    heard, url = endpoint
    words = [("a", -3.0, 0.5), ("b\0", 90.0, 91.0), ("c", 1.0, 0.2), ("d", -1e307, 1e307)]
    timed = [{"word": w, "start": s, "end": e} for w, s, e in words]
    heard.answers.append(web.json_response({"text": "a b\0 c d", "language": "e\0n", "words": timed}))
    session_id = await spoken.finished({"alice": (20.0, clip("3_alice"))}, seconds=30)
    await transcriber(spoken, speech_url=url).transcribe(session_id)
    written = await document(spoken, session_id)
    [segment] = written["segments"]
    assert (segment["text"], written["language"]) == ("a b\ufffd c d", "e\ufffdn")
    assert [word["text"] for word in segment["words"]] == ["a", "b\ufffd", "c", "d"]
    for one in (segment, *segment["words"]):
        assert 19_700 <= one["start_ms"] <= one["end_ms"] <= 24_000


@pytest.mark.parametrize(
    ("settings", "columns"),
    [({"speech_engine": "none"}, {}), ({"speech_url": "http://127.0.0.1:1"}, {"quality": "mock"})],
)
async def test_no_engine_is_opened_for_none_and_for_mock(
    spoken: SpokenSessions, settings: dict[str, Any], columns: dict[str, Any]
) -> None:
    """What was written and transcribed in the room is the whole transcript."""

    async def chat(session_id: UUID) -> None:
        entry = NewLogEntry(kind="message", role="user", text="Hi", source="lk.chat", identity="alice", start_ms=1500)
        await SessionLog(spoken.engine.db).append(session_id, [entry])

    session_id = await spoken.finished({"alice": (1.0, clip("3_alice"))}, seconds=5, before_the_end=chat, **columns)
    await transcriber(spoken, **settings).transcribe(session_id)
    content = await document(spoken, session_id)
    assert (content["status"], content["engine"]) == ("available", None)
    assert [(one["text"], one["start_ms"], one["source"]) for one in content["segments"]] == [("Hi", 1500, "lk.chat")]
    assert await spoken.spool(session_id) == []


async def test_whom_an_agent_has_transcribed_is_not_recognized_again(
    spoken: SpokenSessions, endpoint: tuple[Endpoint, str]
) -> None:
    """Nobody says everything twice."""
    heard, url = endpoint

    async def transcribed(session_id: UUID) -> None:
        entry = NewLogEntry(
            kind="segment",
            role="user",
            text="Only Postgres",
            source="lk.transcription",
            identity="alice",
            start_ms=1000,
        )
        await SessionLog(spoken.engine.db).append(session_id, [entry])

    turns = {"alice": (1.0, clip("3_alice")), "bob": (6.0, clip("4_bob"))}
    session_id = await spoken.finished(turns, seconds=10, before_the_end=transcribed)
    await transcriber(spoken, speech_url=url).transcribe(session_id)
    segments = (await document(spoken, session_id))["segments"]
    assert {("alice", "lk.transcription"), ("bob", "speech")} == {(one["identity"], one["source"]) for one in segments}
    assert heard.requests


async def test_a_missing_engine_is_a_clear_reason(spoken: SpokenSessions) -> None:
    """faster-whisper is not installed here: the transcript says which extra brings it."""
    session_id = await spoken.finished({"alice": (1.0, clip("3_alice"))}, seconds=5)
    await transcriber(spoken, speech_engine="faster-whisper").transcribe(session_id)
    error = (await document(spoken, session_id))["error"]
    assert error == {
        "code": "speech.engine_missing",
        "message": "the faster-whisper engine needs the extra parley[whisper]",
    }


async def test_a_session_that_is_erased_while_the_engine_listens_leaves_nothing(
    spoken: SpokenSessions, endpoint: tuple[Endpoint, str]
) -> None:
    """The answer comes too late: no words in the log, no file."""
    heard, url = endpoint
    session_id = await spoken.finished({"alice": (1.0, clip("3_alice"))}, seconds=5)

    async def erase() -> None:
        await SessionErasure(spoken.engine.db, spoken.objects).erase(UUID(int=1), session_id)

    heard.before_answer = erase
    await transcriber(spoken, speech_url=url).transcribe(session_id)
    assert heard.requests
    assert not recording_folder(spoken, session_id).exists()


async def test_the_commit_defers_the_job_and_a_session_that_never_ran_has_none(spoken: SpokenSessions) -> None:
    """In the transaction of the terminal state."""
    session_id = await spoken.finished({}, seconds=2)
    rows = await spoken.engine.sql("SELECT task_name, queue_name, args->>'session_id' AS id FROM procrastinate_jobs")
    assert ("transcripts.transcribe", "speech", str(session_id)) in [tuple(row) for row in rows]
    never = await spoken.engine.new_session()
    await spoken.engine.sql(
        "UPDATE sessions SET token_expires_at = now() - interval '1 minute' WHERE id = :id", id=never
    )
    from store.sweeping.sweeper import sweep

    await sweep(spoken.engine.db, Settings())
    assert await spoken.engine.status(never) == "failed"
    assert await spoken.engine.sql("SELECT FROM transcripts WHERE session_id = :id", id=never) == []


async def test_a_transcript_says_that_it_lacks_what_was_lost_after_the_commit(
    spoken: SpokenSessions, endpoint: tuple[Endpoint, str]
) -> None:
    """What is left is in it; so it is in the event."""
    _, url = endpoint
    turns = {"alice": (1.0, clip("3_alice")), "bob": (6.0, clip("4_bob"))}
    session_id = await spoken.finished(turns, seconds=10)
    for key, _ in await spoken.spool(session_id):
        if b"TR_alice" in spoken.written[key]:
            await spoken.objects.delete(key)
    await transcriber(spoken, speech_url=url).transcribe(session_id)
    content = await document(spoken, session_id)
    assert (content["status"], content["engine"]) == ("incomplete", "openai")
    assert content["error"]["code"] == "speech.audio_lost"
    assert {one["identity"] for one in content["segments"]} == {"bob"}
    [event] = await spoken.engine.sql(
        "SELECT code FROM session_events WHERE session_id = :id AND type = 'transcript.incomplete'", id=session_id
    )
    assert event.code == "speech.audio_lost"


async def test_a_transcript_lacks_nothing_that_the_recording_lacks_too(
    spoken: SpokenSessions, endpoint: tuple[Endpoint, str]
) -> None:
    """The gap in the recording says it already."""
    _, url = endpoint

    async def damage(session_id: UUID) -> None:
        for key, _ in await spoken.spool(session_id):
            if b"TR_alice" in spoken.written[key]:
                await spoken.objects.delete(key)
                await spoken.objects.put_create(key, b"damaged")

    turns = {"alice": (1.0, clip("3_alice")), "bob": (6.0, clip("4_bob"))}
    session_id = await spoken.finished(turns, 10, damage)
    await transcriber(spoken, speech_url=url).transcribe(session_id)
    assert (await document(spoken, session_id))["status"] == "available"


async def test_segments_stay_until_the_transcript_is_closed(
    spoken: SpokenSessions, endpoint: tuple[Endpoint, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is away right before that: the next attempt has all that it needs, and asks for nothing again."""
    heard, url = endpoint
    session_id = await spoken.finished({"alice": (1.0, clip("3_alice"))}, seconds=5)
    job = transcriber(spoken, speech_url=url)

    async def away(*_: object, **__: object) -> bool:
        raise DatabaseUnavailableError

    with monkeypatch.context() as outage:
        outage.setattr(Transcripts, "close", away)
        with pytest.raises(DatabaseUnavailableError):
            await job.transcribe(session_id)
    assert await spoken.spool(session_id)
    asked = len(heard.requests)
    await job.transcribe(session_id)
    content = await document(spoken, session_id)
    assert (content["status"], content["engine"], content["error"]) == ("available", "openai", None)
    assert len(heard.requests) <= asked + 1, "one question tells the language again"
    assert len(content["segments"]) == asked
    assert await spoken.spool(session_id) == []
    transcript = await spoken.transcripts.read(await spoken.engine.session(session_id))
    assert (transcript.state, transcript.engine) == ("available", "openai")
