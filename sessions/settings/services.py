"""Programs and services that are not Parley's own: livekit-server, recognition of speech, summaries."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from sessions.settings.settings_group import SettingsGroup, why

SpeechEngineName = Literal["moonshine", "openai", "faster-whisper", "none"]


class Services(SettingsGroup):
    """Programs and services that are not Parley's own: livekit-server, recognition of speech, summaries."""

    livekit_server: Path | None = Field(
        None,
        description="livekit-server binary for tests, demo and dev.",
        json_schema_extra=why("It is looked for on PATH, then in the cache folder, and else built there with Go."),
    )
    speech_engine: SpeechEngineName | None = Field(
        None,
        description="What recognizes speech: moonshine (embedded, English only), openai (any"
        " compatible endpoint), faster-whisper, none. Unset: openai with a speech_url, else moonshine.",
        json_schema_extra=why(
            "The embedded engine needs no service and no download, and no audio leaves the installation."
        ),
    )
    speech_url: str | None = Field(
        None,
        description="Base URL of an OpenAI-compatible service (…/v1) that transcribes. Unset: none.",
        json_schema_extra=why("Audio goes nowhere that you have not named."),
    )
    speech_key: SecretStr | None = Field(
        None,
        description="Bearer token for speech_url.",
        json_schema_extra=why("A server of your own often needs none."),
    )
    speech_model: str | None = Field(
        None,
        description="Model of that engine. Unset: whisper-1, faster-whisper: small.",
        json_schema_extra=why(
            "Convention: `whisper-1` is the name in OpenAI's own API, `small` the middle of faster-whisper's sizes."
        ),
    )
    speech_deadline_seconds: float = Field(
        86400,
        gt=0,
        description="Seconds after which a transcript does without speech, and segments are deleted.",
        json_schema_extra=why(
            "Convention: a day, as for finalizing. Until the transcript is closed the segments are"
            " kept, so the audio is stored twice."
        ),
    )
    summary_url: str | None = Field(
        None,
        description="Base URL of an OpenAI-compatible chat service (…/v1). Unset: embedded extractive summaries.",
        json_schema_extra=why("Transcripts go nowhere that you have not named."),
    )
    summary_key: SecretStr | None = Field(
        None,
        description="Bearer token for summary_url.",
        json_schema_extra=why("A server of your own often needs none."),
    )
    summary_model: str | None = Field(
        None,
        description="Model that summarizes; needed with a summary_url.",
        json_schema_extra=why("Services share no name that would do for all."),
    )

    @model_validator(mode="after")
    def _services_are_whole(self) -> Self:
        if self.speech_engine == "openai" and self.speech_url is None:
            raise ValueError("speech_engine openai needs a speech_url")
        if self.summary_url is not None and not self.summary_model:
            raise ValueError("summary_url needs a summary_model")
        return self
