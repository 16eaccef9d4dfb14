"""Which engine the settings ask for."""

import asyncio

from sessions.settings import Settings
from worker.outputs.openai_endpoint import OpenAiEndpoint
from worker.outputs.speech.engines.endpoint_engine import EndpointEngine
from worker.outputs.speech.engines.engine import SpeechEngine, SpeechError
from worker.outputs.speech.engines.moonshine_engine import MoonshineEngine
from worker.outputs.speech.engines.whisper_engine import WhisperEngine

LOADING_SECONDS = 600.0  # a model may be downloaded first, and its hub may be silent


def engine_name(settings: Settings) -> str:
    """The engine that the settings name; if none, the endpoint when there is one, else the embedded engine."""
    if settings.speech_engine is not None:
        return settings.speech_engine
    return "moonshine" if settings.speech_url is None else "openai"


class SpeechEngines:
    """Opens the engine when it is needed, and keeps it: a model takes seconds to load. It goes with the process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engine: SpeechEngine | None = None
        self._model: str | None = None
        self._opening = asyncio.Lock()
        self._loading: asyncio.Future[SpeechEngine] | None = None

    @property
    def name(self) -> str:
        """The engine's name, or `none`."""
        return engine_name(self._settings)

    @property
    def model(self) -> str | None:
        """What it recognizes with; None before it was opened."""
        return self._model

    async def open(self) -> SpeechEngine:
        """The engine, opened at first use. Not to be called when the settings want none.

        Raises:
            SpeechError: `speech.engine_missing`, or it can't be opened; if loading takes long, it goes on: call again.
        """
        async with self._opening:
            if self._engine is None:
                if self._loading is None:
                    self._loading = asyncio.get_running_loop().run_in_executor(None, self._make)
                loading = self._loading
                if not (await asyncio.wait([loading], timeout=LOADING_SECONDS))[0]:
                    text = f"the speech engine was not ready within {LOADING_SECONDS:g} seconds"
                    raise SpeechError("speech.engine_failed", text)
                self._loading = None
                self._engine = loading.result()
                self._model = self._engine.model
        return self._engine

    def _make(self) -> SpeechEngine:
        settings = self._settings
        match self.name:
            case "moonshine":
                return MoonshineEngine()
            case "faster-whisper":
                return WhisperEngine(settings.speech_model)
            case _:
                if settings.speech_url is None:
                    raise SpeechError("speech.engine_missing", "the openai engine needs PARLEY_SPEECH_URL")
                return EndpointEngine(OpenAiEndpoint(settings.speech_url, settings.speech_key), settings.speech_model)
