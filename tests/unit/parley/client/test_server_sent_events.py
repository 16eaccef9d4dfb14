"""`text/event-stream`, however it is cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.client.server_sent_events import EventStreamParser, ServerSentEvent

STREAM = (
    ": hello\n"
    "retry: 2000\n\n"
    "id: evc_1\n\n"
    'id: evc_2\nevent: session.ended\ndata: {"a":"ö€𝄞"}\n\n'
    ": still here\r\n\r\n"
    "event: two.lines\r\ndata: one\r\ndata:\r\ndata:  three\r\n\r\n"
    "data\r\r"
    "event: nothing\n\n"
    "id: evc_3\nid: evil\0one\nretry: soon\nunknown: x\ndata:last\n\n"
    "data: cut off"
)
EVENTS = [
    ServerSentEvent("session.ended", '{"a":"ö€𝄞"}', "evc_2"),
    ServerSentEvent("two.lines", "one\n\n three", "evc_2"),
    ServerSentEvent("message", "", "evc_2"),
    ServerSentEvent("message", "last", "evc_3"),
]


@given(st.lists(st.integers(1, len(STREAM.encode())), max_size=12), st.booleans())
def test_events_are_the_same_however_the_bytes_are_cut(cuts: list[int], with_mark: bool) -> None:
    """Within a character, a line end, a name."""
    stream = ("\ufeff" if with_mark else "").encode() + STREAM.encode()
    edges = [0, *sorted(cuts), len(stream)]
    parser = EventStreamParser()
    events = [event for start, end in itertools.pairwise(edges) for event in parser.feed(stream[start:end])]
    assert events == EVENTS
    assert (parser.last_id, parser.retry_ms) == ("evc_3", 2000)


def test_an_id_without_an_event_is_where_a_client_comes_back() -> None:
    """The stream names one before anything has happened."""
    parser = EventStreamParser("evc_0")
    assert parser.feed(b": hello\n\n") == []
    assert parser.last_id == "evc_0"
    assert parser.feed(b"id: evc_1\n\n") == []
    assert parser.last_id == "evc_1"


def test_an_event_that_was_cut_off_comes_again() -> None:
    """Its id does not count before its last line."""
    parser = EventStreamParser("evc_0")
    assert parser.feed(b"id: evc_1\nevent: session.ended\ndata: {}\n") == []
    assert parser.last_id == "evc_0"
    assert [event.id for event in parser.feed(b"\n")] == ["evc_1"]
    assert parser.last_id == "evc_1"


def test_an_endless_line_is_refused() -> None:
    """It is nobody's event."""
    parser = EventStreamParser()
    parser.feed(b"data: " + b"x" * 1_000_000)
    with pytest.raises(ValueError):
        parser.feed(b"x" * 100_000)
