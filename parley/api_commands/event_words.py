"""One event on one line."""

from datetime import datetime
from typing import Any


def event_words(body: dict[str, Any]) -> str:
    """When, what, of which session, and what its data says first."""
    data = body.get("data") or {}
    facts = [
        str(value) for name, value in data.items() if name != "session" and _is_short(value) and tells(name, value)
    ]
    said = dict.fromkeys(facts)  # a participant's name is often the identity
    words = [local_time(body["created_at"]), f"{body['type']:<22}", body.get("session_id") or "", *said]
    return "  ".join(word for word in words if word).rstrip()


def tells(name: str, value: object) -> bool:
    """Whether a fact says anything: nearly all participants are `standard` ones."""
    return (name, value) != ("kind", "standard")


def local_time(timestamp: str) -> str:
    """A time of the API's on the clock of whoever looks."""
    return datetime.fromisoformat(timestamp).astimezone().strftime("%H:%M:%S")


def _is_short(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
