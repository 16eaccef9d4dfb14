"""The closed list of event types, as `GET /v1/event_types`, the documentation and the OpenAPI document show it.

A type that is added later reaches only who asks for it by a pattern (`session.*`, `*`) or by its name.
"""

import re
from collections.abc import Iterable

from sessions.events.event_type import EventType, Fact

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}

_CODE = Fact("code", _TEXT, "Why, from the registry of codes.", None)
_FAULT = Fact("fault", _TEXT, "Whose fault that is: customer, transport, platform or none.", None)
_MOVE = (
    Fact("epoch", _COUNT, "How many runs the session has had.", 1),
    Fact("status_from", _TEXT, "The session's status before.", "starting"),
    Fact("status_to", _TEXT, "The session's status from now on.", "running"),
    _CODE,
    _FAULT,
)
_FIELDS = Fact("fields", {"type": "array", "items": _TEXT}, "The fields that changed.", ["title"])
_WHY_DELETED = Fact(
    "reason",
    {"enum": ["requested", "retention"]},
    "Whether somebody asked for that, or the retention of content was over.",
    "requested",
)
_WEBHOOK = (
    Fact("endpoint_id", _TEXT, "The webhook endpoint.", "whe_01KB2F5W2Q4V9M7T8Y6R3N1C0A"),
    Fact("url", _TEXT, "Where events were posted to, without path and query.", "https://hooks.example.com"),
    Fact(
        "reason",
        {"enum": ["gone", "failing", "key_revoked"]},
        "It answered 410; nothing was delivered for days; the key that directed it was revoked with cascade.",
        "failing",
    ),
)
_BILL = (
    Fact("billable_ms", _COUNT, "What is billed, before what is given back.", 61_250),
    Fact("credits", _TEXT, "The sum of all its rows of the bill, with three decimals.", "61.250"),
)
_EXPIRES_AT = Fact("expires_at", _TEXT, "When its token expires.", "2026-11-22T02:41:57.000Z")
_PARTICIPANT = (
    Fact("participant_sid", _TEXT, "LiveKit's id of this stay in the room.", "PA_f3hX2bZqYw8v"),
    Fact("identity", _TEXT, "Who it is, as the room knows it.", "caller", content=True),
    Fact("name", _TEXT, "The name to show; null when there is none.", "Ann", content=True),
    Fact("kind", _TEXT, "LiveKit's kind: standard, agent, sip, ingress, egress and so on.", "standard"),
    Fact(
        "limit_reached",
        {"type": "boolean"},
        "No more of these events follow: the session has had PARLEY_PARTICIPANT_EVENTS.",
        False,
    ),
)
_MESSAGE = (
    Fact("message_id", _TEXT, "The message's id.", "msg_01KB2F5WK0Q4V9M7T8Y6R3N1C0"),
    Fact("message_seq", _COUNT, "Its place among the session's messages and segments.", 3),
    Fact("role", {"enum": ["user", "assistant", "system"]}, "Who wrote it.", "user"),
    Fact("source", _TEXT, "Where it is from: api, or lk.chat for the room's chat.", "api"),
    Fact("text", _TEXT, "All of it as plain text.", "Is anybody there?", content=True),
)

_ALL = (
    EventType("session.created", "A session was created.", _MOVE),
    EventType("session.queued", "It waits for a worker.", _MOVE),
    EventType("session.starting", "A worker has it and joins the room.", _MOVE),
    EventType("session.running", "The worker is in the room and records.", _MOVE),
    EventType("session.retrying", "Its worker was lost, and another one takes over.", _MOVE),
    EventType("session.paused", "It was paused: nothing is recorded.", _MOVE),
    EventType("session.resumed", "Its pause is over: it is recorded again.", _MOVE),
    EventType("session.ending", "It has stopped; what was recorded is being finished.", _MOVE),
    EventType("session.ended", "It is over, as was to be.", _MOVE),
    EventType("session.failed", "It is over, and something went wrong.", _MOVE),
    EventType("session.canceled", "It is over because it was canceled.", _MOVE),
    EventType("session.updated", "Some of its fields were changed.", (_FIELDS,)),
    EventType("session.archived", "Lists leave it out from now on."),
    EventType("session.restored", "Lists show it again."),
    EventType("session.deleted", "It was erased; events from before keep no content of it.", (_WHY_DELETED,)),
    EventType("worker_token.replaced", "It has a new worker token."),
    EventType(
        "worker_token.expiring", "It waits for a worker, and its token expires within two minutes.", (_EXPIRES_AT,)
    ),
    EventType("participant.joined", "Somebody is in its room: came, or was there when recording began.", _PARTICIPANT),
    EventType("participant.left", "Somebody has left its room, while it was recorded.", _PARTICIPANT),
    EventType("message.created", "A message was posted to it, or written in its room.", _MESSAGE),
    EventType("recording.available", "Its recording can be downloaded.", (_CODE, _FAULT)),
    EventType("recording.incomplete", "Its recording can be downloaded, and has gaps that are ours.", (_CODE, _FAULT)),
    EventType("recording.failed", "It has no recording.", (_CODE, _FAULT)),
    EventType("transcript.available", "Its speech is transcribed.", (_CODE, _FAULT)),
    EventType("transcript.incomplete", "Its transcript is closed, without some of what was said.", (_CODE, _FAULT)),
    EventType("transcript.none", "It has no transcript: it never ran."),
    EventType("summary.available", "Its summary is stored.", (_CODE, _FAULT)),
    EventType("summary.failed", "A run made no summary.", (_CODE, _FAULT)),
    EventType("usage.finalized", "Its last row of the bill is written.", _BILL),
    EventType("webhook_endpoint.disabled", "Nothing is posted to a webhook endpoint any more.", _WEBHOOK),
)

EVENT_TYPES: dict[str, EventType] = {event_type.name: event_type for event_type in _ALL}
CONTENT_FACTS = frozenset(fact.name for event_type in _ALL for fact in event_type.facts if fact.content)
# What may be asked for, and what is meant by it: `session.ended`, `session.*`, `*`.
EVENT_PATTERNS: dict[str, frozenset[str]] = {
    "*": frozenset(EVENT_TYPES),
    **{
        f"{beginning}.*": frozenset(name for name in EVENT_TYPES if name.startswith(f"{beginning}."))
        for beginning in dict.fromkeys(name.partition(".")[0] for name in EVENT_TYPES)
    },
    **{name: frozenset({name}) for name in EVENT_TYPES},
}
PATTERN = f"^({'|'.join(re.escape(pattern) for pattern in EVENT_PATTERNS)})$"


def matching(patterns: Iterable[str]) -> frozenset[str]:
    """The types that some of the patterns name.

    Raises:
        ValueError: there is no such type.
    """
    found: set[str] = set()
    for pattern in patterns:
        if pattern not in EVENT_PATTERNS:
            raise ValueError("must be types of events, or session.* and the like, or *: GET /v1/event_types lists them")
        found |= EVENT_PATTERNS[pattern]
    return frozenset(found)
