"""Opening the engine: once, bounded, and again after a failure."""

import asyncio
import threading
from typing import Any

import pytest

from sessions.settings import Settings
from worker.outputs.speech.engines import choice
from worker.outputs.speech.engines.choice import SpeechEngines
from worker.outputs.speech.engines.engine import SpeechError


class Model:
    """Stands for an engine."""

    model = "large"


class Loading:
    """How often an engine was loaded; it takes until `done` is set."""

    def __init__(self) -> None:
        self.count = 0
        self.done = threading.Event()
        self.error: Exception | None = None

    def engine(self, model: str | None) -> Any:
        """Stands for the constructor of `WhisperEngine`, which may download a model."""
        self.count += 1
        assert self.done.wait(10)
        if self.error is not None:
            raise self.error
        return Model()


@pytest.fixture
def loading(monkeypatch: pytest.MonkeyPatch) -> Loading:
    """What faster-whisper would load."""
    one = Loading()
    monkeypatch.setattr(choice, "WhisperEngine", one.engine)
    return one


@pytest.fixture
def engines() -> SpeechEngines:
    """As the speech process has them."""
    return SpeechEngines(Settings(speech_engine="faster-whisper"))


async def test_a_model_is_loaded_once_for_all_who_wait(loading: Loading, engines: SpeechEngines) -> None:
    """Two sessions end together."""
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(engines.open()) for _ in range(3)]
        await asyncio.sleep(0)
        loading.done.set()
    assert loading.count == 1
    assert len({id(task.result()) for task in waiting}) == 1


async def test_a_hub_that_is_silent_holds_no_job_for_ever(
    loading: Loading, engines: SpeechEngines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attempt fails and says why; the next one waits for the same loading instead of starting another."""
    monkeypatch.setattr(choice, "LOADING_SECONDS", 0.05)
    for _ in range(2):
        with pytest.raises(SpeechError) as failure:
            await engines.open()
        assert (failure.value.code, loading.count) == ("speech.engine_failed", 1)
        assert failure.value.message == "the speech engine was not ready within 0.05 seconds"
    loading.done.set()
    monkeypatch.setattr(choice, "LOADING_SECONDS", 10)
    assert await engines.open() is await engines.open()
    assert loading.count == 1


async def test_an_engine_that_failed_to_load_is_loaded_again(loading: Loading, engines: SpeechEngines) -> None:
    """By the next attempt; the failure isn't kept."""
    loading.done.set()
    loading.error = SpeechError("speech.engine_failed", "no network")
    with pytest.raises(SpeechError):
        await engines.open()
    loading.error = None
    await engines.open()
    assert loading.count == 2
