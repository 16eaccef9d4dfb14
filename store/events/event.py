"""One event as it left its transaction, and the one body that every reader gets of it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sessions.billing.usage import Usage
from sessions.events.event_types import EVENT_TYPES
from sessions.ids import format_id
from sessions.lifecycle.lifecycle import TERMINAL, Status
from sessions.texts.redaction import redact, redact_value
from sessions.texts.timestamps import format_timestamp
from store.events.cursor import Cursor

API_VERSION = "v1"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of an organization's log.

    Attributes:
        position: its place in the log: 1, 2, 3 and so on, without a hole.
        session_id, agent_id, seq: None when it is about no session; `seq` counts within the session.
        facts: what its type names; see `sessions.events.event_types`.
        session: the session as it was then (the columns of `store.events.appending.SNAPSHOT`); None as above.
    """

    organization_id: UUID
    position: int
    id: UUID
    session_id: UUID | None
    agent_id: str | None
    seq: int | None
    type: str
    at: datetime
    facts: dict[str, Any]
    session: dict[str, Any] | None

    @property
    def cursor(self) -> Cursor:
        """The cursor of who has read up to this event."""
        return Cursor.at(self.position, self.id)

    def body(self, *, content: bool) -> bytes:
        """The body in JSON: the same bytes in a list, a stream and a webhook.

        Args:
            content: whether the reader may know what was said and written, and by whom; else those members are null.
        """
        return json.dumps(self.to_json(content=content), ensure_ascii=False, separators=(",", ":")).encode()

    def to_json(self, *, content: bool) -> dict[str, Any]:
        """The body as a value."""
        return {
            "id": format_id("evt", self.id),
            "object": "event",
            "type": self.type,
            "created_at": format_timestamp(self.at),
            "organization_id": format_id("org", self.organization_id),
            "session_id": None if self.session_id is None else format_id("sess", self.session_id),
            "seq": self.seq,
            "cursor": str(self.cursor),
            "api_version": API_VERSION,
            "data": {**self._facts(content), "session": self._session(content)},
        }

    def _facts(self, content: bool) -> dict[str, Any]:
        return {
            fact.name: redact_value(self.facts.get(fact.name)) if content or not fact.content else None
            for fact in EVENT_TYPES[self.type].facts
        }

    def _session(self, content: bool) -> dict[str, Any] | None:
        if self.session is None:
            return None
        assert self.session_id is not None
        then, status = self.session, Status(self.session["status"])
        failed = status is Status.FAILED and then["error_code"] is not None
        message = then["error_message"]
        return {
            "id": format_id("sess", self.session_id),
            "status": str(status),
            "agent_id": self.agent_id,
            "task_id": then["task_id"],
            "project_id": then["project_id"],
            "external_customer_id": then["external_customer_id"],
            "metadata": then["metadata"] if content else None,
            "end_reason": then["end_reason"],
            "error": {"code": then["error_code"], "message": message and redact(message)} if failed else None,
            "usage": _usage(then, status),
        }


def _usage(then: dict[str, Any], status: Status) -> dict[str, Any]:
    as_of = then["usage_as_of"]
    usage = Usage(
        billable_ms=then["billable_ms"],
        credited_ms=then["credited_ms"],
        provisional=status not in TERMINAL,
        frames=then["frames"],
        audio_ms_received=then["audio_ms"],
        as_of=None if as_of is None else datetime.fromisoformat(as_of),
    )
    return {
        "billable_seconds": usage.billable_seconds,
        "billable_ms": usage.billable_ms,
        "credited_ms": usage.credited_ms,
        "frames": usage.frames,
        "audio_ms_received": usage.audio_ms_received,
        "as_of": format_timestamp(usage.as_of),
        "provisional": usage.provisional,
    }
