"""faster-whisper itself, in an environment of its own, with a model of a few MB that the tests make.

The environment is installed once, pinned by hashes, into the user's cache folder (400 MB); where that is impossible,
these tests fail in CI and skip loudly elsewhere.
"""

import asyncio
import os
import subprocess
import sysconfig
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bench.children.line_child import LineChild
from store.objects.objects import Objects
from tests.support.rules.segment_readers import segment_readers
from tests.support.running.engine import Engine
from tests.support.talkers.spoken import SpokenSessions, clip
from tools.peers.peer_environment import PEERS, NoPeerError, peer_python

ROOT = Path(__file__).parents[6]
# Behind the environment's own packages come ours, for what is around the engine.
RUN = """
import runpy, sys
sys.path += sys.argv[1:3]
sys.argv = sys.argv[3:]
runpy.run_module(sys.argv[0], None, "__main__")
"""


@pytest.fixture(scope="session")
def whisper_argv() -> Callable[..., list[str]]:
    """`whisper_argv(module, *arguments)`: how to run a module of ours where faster-whisper is installed."""
    try:
        python = peer_python("faster-whisper", PEERS / "faster_whisper.txt")
    except NoPeerError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"NO FASTER-WHISPER: {error}")
    ours = [str(ROOT), sysconfig.get_path("purelib")]
    return lambda *words: [str(python), "-c", RUN, *ours, *words]


@pytest.fixture(scope="session")
def model(whisper_argv: Callable[..., list[str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says "Good morning" to everything."""
    folder = tmp_path_factory.mktemp("whisper") / "tiny-model"
    subprocess.run(whisper_argv("tests.support.services.tiny_whisper", str(folder)), check=True, timeout=120)
    return folder


@pytest.fixture
async def spoken(database_url: str, tmp_path: Path) -> AsyncIterator[SpokenSessions]:
    """Everything fresh."""
    async with Engine.open(database_url) as engine:
        yield SpokenSessions(engine, Objects.open((tmp_path / "objects").as_uri()), tmp_path)


@pytest.fixture
def transcribe(
    spoken: SpokenSessions, database_url: str, tmp_path: Path, whisper_argv: Callable[..., list[str]]
) -> Callable[..., Any]:
    """`await transcribe(session_id, speech_model, **environment)`: the real job, where faster-whisper is installed."""

    def run(session_id: Any, speech_model: str, **environment: str) -> Any:
        request = {
            "mode": "job",
            "cold": True,
            "database_url": database_url,
            "storage_url": (tmp_path / "objects").as_uri(),
            "session_id": str(session_id),
            "settings": {"speech_engine": "faster-whisper", "speech_model": speech_model},
        }
        env = {**os.environ, "HF_HOME": str(tmp_path / "hub"), **environment}
        argv = whisper_argv("bench.children.transcribe_once")
        with LineChild(argv, tmp_path / "child.log", env=env, cwd=ROOT) as child:
            child.receive()
            return child.ask(request, seconds=60)

    async def in_thread(session_id: Any, speech_model: str, **environment: str) -> Any:
        return await asyncio.to_thread(lambda: run(session_id, speech_model, **environment))

    return in_thread


async def test_what_whisper_hears_is_in_the_transcript(
    spoken: SpokenSessions, transcribe: Callable[..., Any], model: Path
) -> None:
    """Text, word times within the utterance, confidence from its probabilities, language, and the model's name only."""
    session_id = await spoken.finished({"alice": (3.0, clip("1_alice")), "bob": (9.0, clip("4_bob"))}, seconds=14)
    assert "code" not in await transcribe(session_id, str(model))
    transcript = await spoken.transcripts.read(await spoken.engine.session(session_id))
    assert (transcript.state, transcript.engine, transcript.model, transcript.language) == (
        "available",
        "faster-whisper",
        "tiny-model",
        "en",
    )
    assert {"alice", "bob"} == {segment.identity for segment in transcript.segments}
    for segment in transcript.segments:
        low, high = (2700, 8000) if segment.identity == "alice" else (8700, 14_000)
        assert (segment.text, segment.source) == ("Good morning", "speech")
        assert segment.confidence is not None
        assert 0.99 < segment.confidence <= 1
        assert segment.words is not None
        assert [word["text"] for word in segment.words] == ["Good", "morning"]
        times = [word[name] for word in segment.words for name in ("start_ms", "end_ms")]
        assert low <= times[0] <= times[-1] <= high
        assert times == sorted(times)
        assert all(0.99 < word["confidence"] <= 1 for word in segment.words)


async def test_a_model_that_is_not_here_and_can_not_be_downloaded_is_a_clear_reason(
    spoken: SpokenSessions, transcribe: Callable[..., Any]
) -> None:
    """The hub refuses the connection: the job fails soon, says so, and is tried again."""
    session_id = await spoken.finished({"alice": (1.0, clip("3_alice"))}, seconds=5)
    failed = await transcribe(session_id, "small", HF_ENDPOINT="http://127.0.0.1:1")
    assert failed == {
        "code": "speech.engine_failed",
        "message": "the model is not on this machine and can't be downloaded (LocalEntryNotFoundError)",
    }
    assert await segment_readers(spoken.engine, session_id) == {"transcript"}
    assert await spoken.spool(session_id)


@pytest.mark.parametrize("name", ["no-such-model", "/no/such/folder"])
async def test_a_model_that_nobody_knows_closes_the_transcript(
    spoken: SpokenSessions, transcribe: Callable[..., Any], name: str
) -> None:
    """Trying again is no use; the path isn't told to customers."""
    session_id = await spoken.finished({"alice": (1.0, clip("3_alice"))}, seconds=5)
    assert "code" not in await transcribe(session_id, name)
    transcript = await spoken.transcripts.read(await spoken.engine.session(session_id))
    assert (transcript.state, transcript.code, transcript.message) == (
        "incomplete",
        "speech.engine_missing",
        "faster-whisper knows no model of that name",
    )


async def test_a_damaged_model_is_a_clear_reason(
    spoken: SpokenSessions, transcribe: Callable[..., Any], model: Path, tmp_path: Path
) -> None:
    """Half a file."""
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for path in model.iterdir():
        (damaged / path.name).write_bytes(path.read_bytes()[: 100_000 if path.name == "model.bin" else None])
    session_id = await spoken.finished({"alice": (1.0, clip("3_alice"))}, seconds=5)
    failed = await transcribe(session_id, str(damaged))
    assert failed["code"] == "speech.engine_failed"
    assert failed["message"] == "the model is damaged, or there is no memory for it"
    assert await segment_readers(spoken.engine, session_id) == {"transcript"}
