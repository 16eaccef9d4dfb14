"""The one settings tree: read once by `parley`, frozen, passed down. docs/settings.md is generated from it."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SpeechEngineName = Literal["pocketsphinx", "openai", "faster-whisper", "none"]
LogLevel = Literal["debug", "info", "warning", "error"]


class Settings(BaseSettings):
    """Every setting with its unit, default and reason. The environment spells them `PARLEY_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_", frozen=True, extra="forbid", hide_input_in_errors=True)

    data_dir: Path = Field(Path(".parley"), description="Folder of the embedded database, spool and local objects.")
    database_url: SecretStr | None = Field(None, description="PostgreSQL ≥ 17 (postgresql://…). Unset: embedded.")
    database_timeout_seconds: float = Field(3, gt=0, description="Seconds before a request gives up on the database.")
    storage_url: str | None = Field(
        None, description="file:///…, s3://bucket/prefix, gs://…, az://…. Unset: data_dir/objects."
    )
    public_url: str | None = Field(
        None, description="Base of the absolute links that the API signs. Unset: API host and port."
    )
    api_host: str = Field("127.0.0.1", description="Address that the API listens on.")
    api_port: int = Field(8080, ge=0, le=65535, description="Port that the API listens on; 0: any free one.")
    worker_port: int = Field(0, ge=0, le=65535, description="Port of the worker's health and metrics; 0: any free one.")
    secret_key: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="1..n texts of ≥ 32 characters, comma-separated, newest first: encrypts tokens, signs links."
    )
    master_key: SecretStr | None = Field(None, description="A master API key accepted from the first start.")
    heartbeat_seconds: float = Field(5, gt=0, description="Seconds between a worker process's beats.")
    stalled_seconds: float = Field(15, gt=0, description="Seconds without a beat after which a run counts as lost.")
    sessions_per_process: int = Field(25, ge=1, description="Sessions that one recorder process takes.")
    processes: int | None = Field(None, ge=1, description="Recorder processes per worker. Unset: one per core.")
    segment_seconds: float = Field(10, gt=0, description="Seconds after which a spool segment is sealed and uploaded.")
    usage_interval_seconds: float = Field(60, gt=0, description="Seconds between ledger rows of a running session.")
    stream_buffer_seconds: float = Field(
        300,
        gt=0,
        description="Seconds of audio that senders of byte streams may be ahead of their playing, per session.",
    )
    join_seconds: float = Field(30, gt=0, description="Seconds for a join, retries included.")
    rejoin_seconds: float = Field(120, gt=0, description="Seconds that a lost room is retried.")
    queue_seconds: float = Field(300, gt=0, description="Seconds in the queue before capacity.none.")
    grace_seconds: float = Field(
        30, ge=0, description="Seconds that a stopping worker goes on recording for a successor."
    )
    takeover_window_seconds: float = Field(600, gt=0, description="Seconds without a proven beat before worker.lost.")
    salvage_seconds: float = Field(60, gt=0, description="Seconds that finalizing waits for a lost host's spool.")
    finalize_retry_seconds: float = Field(
        30, gt=0, description="Seconds before an unfinished finalize job is deferred again."
    )
    finalize_deadline_seconds: float = Field(86400, gt=0, description="Seconds before finalizing fails for good.")
    max_duration_seconds: int = Field(
        14400, ge=1, description="The largest max_duration_seconds a session may ask for."
    )
    retention_days: int | None = Field(
        None,
        ge=1,
        le=36500,
        description="Days after its end that a session's content is erased, as by DELETE; the same for every worker."
        " Unset: everything is kept.",
    )
    allow_private_hosts: bool = Field(False, description="Let rooms have private and loopback addresses (development).")
    livekit_server: Path | None = Field(None, description="livekit-server binary for tests, demo and dev.")
    speech_engine: SpeechEngineName | None = Field(
        None,
        description="What recognizes speech when a session has ended: pocketsphinx (embedded), openai (any compatible"
        " endpoint), faster-whisper, none. Unset: openai with a speech_url, else pocketsphinx.",
    )
    speech_url: str | None = Field(
        None, description="Base URL of an OpenAI-compatible service (…/v1) that transcribes. Unset: none."
    )
    speech_key: SecretStr | None = Field(None, description="Bearer token for speech_url.")
    speech_model: str | None = Field(None, description="Model of that engine. Unset: whisper-1, faster-whisper: small.")
    speech_deadline_seconds: float = Field(
        86400, gt=0, description="Seconds after which a transcript does without speech, and segments are deleted."
    )
    summary_url: str | None = Field(
        None, description="Base URL of an OpenAI-compatible chat service (…/v1). Unset: embedded extractive summaries."
    )
    summary_key: SecretStr | None = Field(None, description="Bearer token for summary_url.")
    summary_model: str | None = Field(None, description="Model that summarizes; needed with a summary_url.")
    log_level: LogLevel = Field("info", description="Least severe log line that is printed.")

    @field_validator("secret_key", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(part.get_secret_value()) < 32 for part in value):
            raise ValueError("each key needs at least 32 characters")
        return value

    @model_validator(mode="after")
    def _beats_fit(self) -> Self:
        if self.stalled_seconds < 3 * self.heartbeat_seconds:
            raise ValueError("stalled_seconds must be at least 3 × heartbeat_seconds")
        if self.database_url is not None and not self.secret_key:
            raise ValueError("secret_key is required with a database_url: every process must have the same one")
        if self.speech_engine == "openai" and self.speech_url is None:
            raise ValueError("speech_engine openai needs a speech_url")
        if self.summary_url is not None and not self.summary_model:
            raise ValueError("summary_url needs a summary_model")
        return self
