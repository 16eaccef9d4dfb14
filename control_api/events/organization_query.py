"""Which events of an organization a request asks for, whether as a list or as a stream."""

from dataclasses import dataclass
from uuid import UUID

from control_api.http.requests.call import Call
from control_api.http.requests.query_parameters import QueryParameter, identifier, text
from sessions.events.event_types import PATTERN, matching
from store.events.cursor import Cursor
from store.events.event import Event


@dataclass(frozen=True, slots=True)
class AskedEvents:
    """A filter; None: whatever it may be. `after_seq`: only events of the session with a larger `seq`."""

    types: frozenset[str] | None
    session_id: UUID | None
    agent_id: str | None
    after_seq: int = 0

    def wants(self, event: Event) -> bool:
        """Whether the event is asked for."""
        return (
            (self.types is None or event.type in self.types)
            and (self.session_id is None or event.session_id == self.session_id)
            and (self.agent_id is None or event.agent_id == self.agent_id)
            and (self.after_seq == 0 or (event.seq or 0) > self.after_seq)
        )


_ONE = PATTERN.strip("^$")
_TYPES = f"^{_ONE}(,{_ONE})*$"


def event_types() -> QueryParameter:
    """`types`: patterns, repeatable and comma-separated; the value is a tuple of sets of types."""
    return QueryParameter(
        "types",
        lambda value: matching(value.split(",")),
        {"type": "string", "pattern": _TYPES, "examples": ["session.*,recording.available"]},
        "Only events of these types: names, session.* or *, comma-separated.",
        (),
        repeats=True,
    )


def after_cursor() -> QueryParameter:
    """`after`: a cursor of the organization's log."""
    known = identifier("after", "The cursor of the last event that was read.", "evc")
    return QueryParameter("after", Cursor.parse, known.schema, known.description)


EVENT_FILTER = (
    event_types(),
    identifier("session_id", "Only events of this session; it may have been deleted since.", "sess"),
    text("agent_id", "Only events of this agent's sessions."),
)


def asked_events(call: Call) -> AskedEvents | None:
    """What the request asks for, as far as its key may read it; None: nothing that it may."""
    agent_id = call.query.get("agent_id")
    if call.agent is not None and agent_id not in (None, call.agent):
        return None
    return AskedEvents(
        types=frozenset[str]().union(*call.query["types"]) or None,
        session_id=call.query.get("session_id") or call.session,
        agent_id=call.agent or agent_id,
    )
