"""One event on one line."""

from parley.api_commands.event_words import event_words


def test_what_everybody_is_and_what_was_said_is_not_said() -> None:
    """A name that is the identity stands there once, and an ordinary participant's kind not at all."""
    event = {"type": "participant.joined", "created_at": "2026-11-30T09:00:00.000Z", "session_id": "sess_1"}
    ordinary = {"identity": "you", "name": "you", "kind": "standard", "session": {"id": "sess_1"}}
    assert event_words({**event, "data": ordinary}).split()[1:] == ["participant.joined", "sess_1", "you"]
    agent = {"identity": "bot", "name": "Support", "kind": "agent", "limit_reached": False}
    assert event_words({**event, "data": agent}).split()[2:] == ["sess_1", "bot", "Support", "agent"]
