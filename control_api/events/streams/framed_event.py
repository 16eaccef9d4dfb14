"""Events as bytes of a stream: made once, for all streams that have them."""

from collections.abc import Iterable, Sequence

from control_api.events.organization_query import AskedEvents
from store.events.event import Event


class FramedEvent:
    """An event as streams send it; made once, for readers of content and for others."""

    def __init__(self, event: Event) -> None:
        self.event = event
        self._frames: dict[bool, bytes] = {}

    def frame(self, *, content: bool) -> bytes:
        """Its lines in a stream (WHATWG HTML, server-sent events)."""
        if content not in self._frames:
            head = f"id: {self.event.cursor}\nevent: {self.event.type}\ndata: ".encode()
            self._frames[content] = head + self.event.body(content=content) + b"\n\n"
        return self._frames[content]


class Events:
    """Some that follow each other in the log, at least one, as one piece of an answer."""

    def __init__(self, framed: Sequence[FramedEvent]) -> None:
        self._framed = framed
        self._whole: dict[tuple[bool, bool], bytes] = {}

    @property
    def first_position(self) -> int:
        """Of the first one."""
        return self._framed[0].event.position

    def piece(self, asked: AskedEvents, *, content: bool, chunked: bool) -> bytes:
        """Those that are asked for; `chunked`: as a chunk of HTTP/1.1 (RFC 9112, 7.1)."""
        wanted = [one for one in self._framed if asked.wants(one.event)]
        if len(wanted) < len(self._framed):
            return _piece(wanted, content=content, chunked=chunked)
        if (content, chunked) not in self._whole:
            self._whole[content, chunked] = _piece(wanted, content=content, chunked=chunked)
        return self._whole[content, chunked]


def _piece(framed: Iterable[FramedEvent], *, content: bool, chunked: bool) -> bytes:
    data = b"".join(one.frame(content=content) for one in framed)
    return b"%x\r\n%b\r\n" % (len(data), data) if chunked else data
