"""Reads `text/event-stream` (WHATWG HTML, 9.2.6): bytes in, events out, however the bytes were cut."""

import codecs
import re
from dataclasses import dataclass

_LONGEST_CHARACTERS = 1 << 20  # of what is not whole yet: a server that sends more is none of ours
_LINE_END = re.compile(r"\r\n|\n|\r(?!\Z)")  # a \r at the end may be half of \r\n


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event. `id` is the last one that the stream has named, so far; None: it named none."""

    type: str
    data: str
    id: str | None


class EventStreamParser:
    """One stream's.

    Attributes:
        last_id: what a client names when it comes back; an event that is not whole yet has not changed it.
        retry_ms: after how many milliseconds the server wants it back; None: it didn't say.
    """

    def __init__(self, last_id: str | None = None) -> None:
        self.last_id = last_id
        self.retry_ms: int | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._rest = ""
        self._id = last_id
        self._type = ""
        self._data: list[str] = []

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """The events that are whole now.

        Raises:
            ValueError: a line, or an event, is longer than a megabyte.
        """
        *lines, self._rest = _LINE_END.split(self._rest + self._decoder.decode(data))
        events = [event for line in lines if (event := self._line(line)) is not None]
        if len(self._rest) + sum(map(len, self._data)) > _LONGEST_CHARACTERS:
            raise ValueError("an event is too long")
        return events

    def _line(self, line: str) -> ServerSentEvent | None:
        if not line:
            return self._end()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self._id = value or None
        elif name == "retry" and value.isascii() and value.isdecimal():
            self.retry_ms = int(value)
        return None

    def _end(self) -> ServerSentEvent | None:
        self.last_id = self._id
        type_, data, self._type, self._data = self._type or "message", self._data, "", []
        return ServerSentEvent(type_, "\n".join(data), self.last_id) if data else None
