"""What the guard says when it dials nothing: words that come back in the text of the SDK's error."""

from enum import StrEnum


class Refusal(StrEnum):
    """Why there is no connection."""

    NOT_ALLOWED = "parley-guard-not-allowed"
    FLOODED = "parley-guard-flooded"
    CUT_OFF = "parley-guard-cut-off"
    NO_SUCH_NAME = "parley-guard-no-such-name"
    UNRESOLVED = "parley-guard-unresolved"
    REFUSED = "parley-guard-refused"
    UNREACHABLE = "parley-guard-unreachable"
    UNREADABLE = "parley-guard-unreadable"

    @property
    def status(self) -> int:
        """The status of the answer; what another attempt changes nothing about is the client's error."""
        return {
            Refusal.NOT_ALLOWED: 403,
            Refusal.FLOODED: 403,
            Refusal.CUT_OFF: 403,
            Refusal.NO_SUCH_NAME: 403,
            Refusal.UNREADABLE: 400,
        }.get(self, 502)

    @property
    def answer(self) -> bytes:
        """The whole answer. The word is in the status line, which is told of a CONNECT, and in the body, which is told
        of a GET."""
        head = f"HTTP/1.1 {self.status} {self}\r\nContent-Length: {len(self)}\r\nConnection: close\r\n\r\n"
        return f"{head}{self}".encode()


class RefusedError(Exception):
    """The guard does not connect."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal
