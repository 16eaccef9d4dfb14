"""What an organization may ask for, as clients read it."""

from typing import Literal

from pydantic import Field

from control_api.http.answers.models import AnswerModel


class RateLimit(AnswerModel):
    """So many per second or minute."""

    limit: int | None = Field(description="Null: no limit.")
    remaining: int | None = Field(description="How many may come at once, at the process that answers.")


class CountLimit(AnswerModel):
    """So many at the same time."""

    limit: int | None = Field(description="Null: no limit.")
    used: int
    remaining: int | None


class LimitsReport(AnswerModel):
    """The organization's limits."""

    object: Literal["limits"]
    organization_id: str
    requests_per_second: RateLimit = Field(description="Of all keys together.")
    key_requests_per_second: RateLimit = Field(description="Of the asking key.")
    creates_per_minute: RateLimit = Field(description="New sessions.")
    messages_per_minute: RateLimit = Field(description="Into one session; remaining is of a session without any.")
    concurrent_sessions: CountLimit = Field(
        description="Voice sessions that wait for their start_at, or are queued, starting, running or paused."
    )
    queued_sessions: CountLimit = Field(description="Voice sessions in the queue, or waiting for their start_at.")
    api_keys: CountLimit = Field(description="Keys that are neither revoked nor expired.")
    answers_mb: CountLimit = Field(description="Megabytes of answers that Idempotency-Keys keep for 24 hours.")
