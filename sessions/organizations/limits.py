"""How much one organization may ask for; 0: as much as it likes. `store.sessions.quota` counts, and the API."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Self

from sessions.settings import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one organization.

    Attributes:
        requests_per_second: of all its keys together, per API process.
        key_requests_per_second: of each key, per API process.
        creates_per_minute: sessions that it creates, per API process.
        messages_per_minute: messages into one session, per API process.
        concurrent_sessions: voice sessions that wait for their `start_at`, or are queued, starting, running or paused.
        queued_sessions: voice sessions that wait in the queue, or for their `start_at`.
        api_keys: keys that are neither revoked nor expired.
        answers_mb: megabytes of answers that idempotency keys keep.
    """

    requests_per_second: int
    key_requests_per_second: int
    creates_per_minute: int
    messages_per_minute: int
    concurrent_sessions: int
    queued_sessions: int
    api_keys: int
    answers_mb: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The installation's, which hold for every organization that has none of its own."""
        return cls(**{name: getattr(settings, f"limit_{name}") for name in LIMIT_NAMES})

    def with_own(self, own: Mapping[str, int]) -> Self:
        """These, with the organization's own in their place; names that are no limits are left out."""
        return replace(self, **{name: limit for name, limit in own.items() if name in LIMIT_NAMES})


LIMIT_NAMES = tuple(field.name for field in fields(Limits))
